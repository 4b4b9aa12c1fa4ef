"""An agent that asks another one and may hand over to it, as tests of HTTP doors want them."""

from agents.models import Agent

ASKING = ("ask_clerk", {"question": "How many days of vacation do employees have?"})
HANDING = ("hand_over_to_clerk", {"reason": "It is about vacation."})


def lead_above(clerk):
    """Alice's, without documents of its own."""
    helpers = [{"agent": str(clerk.pk), "way": way, "when": "vacation"}
               for way in ("ask", "hand_over")]  # fmt: skip
    return Agent.objects.create(
        owner=clerk.owner, name="Lead", slug="lead", max_passages=0, helpers=helpers,
        instructions="You lead.",
    )  # fmt: skip
