"""How a question is understood before it is searched for: what is switched on, and by whom.

An agent and a collection each say yes, no, or nothing about a way. No wins over yes, yes over
nothing; where nobody says anything the house's own list counts. Every collection that is named to
be searched is heard. Where everything is searched that a person may see, none is: one shared
collection would decide, and cost, for all the others; there the agent alone is asked.
No Django here but its errors.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Said = Mapping[str, bool]  # by the name of a switch


class Switch(StrEnum):
    """The first four need no model, and the last one takes what there is."""

    FOLLOW_UPS = "follow_ups"  # a question that points back is searched with what it points at
    GLOSSARY = "glossary"  # and in the other words that the collections' glossaries have for it
    PARTS = "parts"  # a question that asks several things, also by its parts
    FILTERS = "filters"  # "PDFs from last month" narrows the search
    STANDALONE = "standalone"
    REWRITES = "rewrites"
    HYPOTHETICAL = "hypothetical"
    SUB_QUESTIONS = "sub_questions"
    STEP_BACK = "step_back"
    TRANSLATION = "translation"
    RERANK = "rerank"  # what was found is put in a better order before the model reads it


BY_MODEL = frozenset(list(Switch)[4:-1])
# They cost nothing and were measured not to hurt (`python -m benchmarks understanding`).
USUAL = frozenset({Switch.FOLLOW_UPS, Switch.GLOSSARY})


def switched_on(agent: Said, collections: Iterable[Said] = ()) -> frozenset[Switch]:
    """What counts for a question to this agent, searched in these collections."""
    said = [agent, *collections]
    return frozenset(switch for switch in Switch if _counts(switch, said))


def beyond_usual(said: Said) -> frozenset[Switch]:
    """What a collection that says this has done with questions, and others have not."""
    return switched_on({}, [said]) - USUAL


def said_after(said: Said, more: Mapping[Switch, bool | None]) -> dict[str, bool]:
    """What is said once these are changed; None says nothing any more."""
    heard: dict[str, bool | None] = {**said, **{str(switch): on for switch, on in more.items()}}
    return {name: on for name, on in heard.items() if on is not None}


def _counts(switch: Switch, said: Iterable[Said]) -> bool:
    heard = {one[switch] for one in said if switch in one}
    return False not in heard and (True in heard or switch in USUAL)


def validate_switches(value: Any) -> None:
    """Names of switches with yes or no; raises ValidationError."""
    is_one = isinstance(value, dict) and all(
        name in set(Switch) and isinstance(on, bool) for name, on in value.items()
    )
    if not is_one:
        raise ValidationError(_("Say yes or no to what there is: %s.") % ", ".join(Switch))
