"""The candidates of a search as their reader may see them: permission is asked anew, in the query.

What a reader may not see, or what is gone, keeps its ranks and loses everything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models.functions import Left

from accounts.models import User
from chat.why.types import Rank, SeenPassage, ShownCandidate
from knowledge.models import Chunk, Document
from security.reading import second_lock

SHOWN = 600  # characters of a passage


def show_candidates(
    user: User | AnonymousUser, data: Mapping[str, Any], cited: Iterable[int]
) -> tuple[ShownCandidate, ...]:
    """Those of a kept search, in its order; two queries for all of them."""
    documents = [UUID(pk) for pk in data["documents"]]
    wanted = [(UUID(one["id"]), documents[one["document"]]) for one in data["candidates"]]
    seen = find_passages(user, wanted)
    numbers = set(cited)
    return tuple(
        ShownCandidate(
            place=place,
            seen=seen.get(wanted[place - 1][0]),
            ranks=tuple(Rank(*at) for at in one["at"]),
            fate=_fate(one, numbers),
            n=one.get("n"),
        )
        for place, one in enumerate(data["candidates"], 1)
    )


@second_lock
def find_passages(
    user: User | AnonymousUser, wanted: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, SeenPassage]:
    """By the id of the passage, of those whose document `user` may see; of one that was split anew
    since, the document alone."""
    documents = Document.objects.visible_to(user).filter(pk__in={pk for _, pk in wanted})
    titles = dict(documents.values_list("pk", "title"))
    chunks = Chunk.objects.filter(pk__in=[pk for pk, _ in wanted], document__in=documents)
    rows = chunks.annotate(shown=Left("text", SHOWN))
    found = {
        row.pk: SeenPassage(
            document_id=row.document_id,
            title=titles[row.document_id],
            heading=_heading(row.heading_path, titles[row.document_id]),
            text=row.shown,
            page=row.page,
            start=row.start,
            end=row.end,
        )
        for row in rows.only("pk", "document_id", "heading_path", "page", "start", "end")
        if row.document_id in titles
    }
    return {
        chunk: found.get(chunk) or SeenPassage(document, titles[document])
        for chunk, document in wanted
        if document in titles
    }


def _heading(path: Sequence[str], title: str) -> str:
    return " › ".join(part for part in path if part and part != title)


def _fate(candidate: Mapping[str, Any], cited: set[int]) -> str:
    if (n := candidate.get("n")) is not None:
        return "cited" if n in cited else "given"
    return str(candidate.get("dropped", "left"))
