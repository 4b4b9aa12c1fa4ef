"""Rules as tests write them."""

from agents.guardrails.rules import ADAPTER


def rule(kind="personal_data", places=("output",), action="mask", **more):
    given = {"name": f"No {kind}", "kind": kind, "places": list(places), "action": action}
    return ADAPTER.validate_python(given | more)
