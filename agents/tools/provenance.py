"""What a result from documents brings into a run: nobody answers for it, and who may read it."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Grant, Team
from agents.tools.types import Taint, ToolOutput, ToolRefused
from knowledge.models import Collection

OF_OTHERS = frozenset({Taint.UNTRUSTED})


def provenance_of(collections: Iterable[UUID]) -> tuple[frozenset[Taint], frozenset[UUID]]:
    """The taints of words from these collections, and those of them that not everybody may read.

    One query; none where nothing was read.
    """
    asked = frozenset(collections)
    closed = asked - open_to_everybody(asked) if asked else asked
    taints = OF_OTHERS if asked else frozenset()
    return taints | ({Taint.PRIVATE} if closed else frozenset()), closed


def refused_with(text: str, collections: Iterable[UUID]) -> ToolRefused:
    """A refusal whose text has words from these collections in it; one query."""
    taints, readers = provenance_of(collections)
    return ToolRefused(text, ToolOutput(text, taints=taints, readers=readers))


def open_to_everybody(collections: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the collections that every account here may read."""
    everyone = Team.objects.filter(is_everyone=True).values("pk")
    grants = Grant.objects.filter(
        kind=Collection.grant_kind, object_id__in=list(collections), team__in=everyone
    )
    return frozenset(grants.values_list("object_id", flat=True))
