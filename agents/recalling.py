"""What an answer cites that is gone on from, and that nobody finds again: passages that tools came
upon, or another agent. They can be cited and opened as before; no model is shown them anew."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models.functions import Substr

from accounts.models import User
from agents.going_on import marks_in
from agents.guardrails.passages import permitted
from agents.running.reach import within_reach
from agents.types import AgentTask, PackedPassage
from knowledge.labels import demands_of
from knowledge.models import Chunk, DocumentText
from knowledge.retrieval.surroundings import passage_of
from knowledge.types import Passage
from observability.patience import run_patiently
from security.reading import reading_as

MOST = 50  # passages
Stretch = tuple[UUID, UUID, int, int]  # chunk, document, start and end


async def recall(task: AgentTask, passages: Sequence[PackedPassage]) -> tuple[PackedPassage, ...]:
    """Under the next numbers behind those of `passages`, as far as the person may still read them
    and their document is as it was."""
    wanted = _wanted(task, passages)
    if not wanted:
        return ()
    found = await run_patiently(_read, task.user, wanted)
    last = max((one.n for one in passages), default=task.numbers_taken)
    numbered = tuple(PackedPassage(n, (one,)) for n, one in enumerate(found, last + 1))
    if task.guard is None or not numbered:
        return numbered
    demands = await run_patiently(demands_of, {one.collection_id for one in found})
    return await permitted(task, numbered, demands)


def _wanted(task: AgentTask, passages: Sequence[PackedPassage]) -> list[Stretch]:
    goes_on = task.goes_on
    if goes_on is None:
        return []
    here = {(one.first.document_id, one.first.start) for one in passages}
    found: dict[tuple[UUID, int], Stretch] = {}
    for n in marks_in(goes_on.text):
        place, end = goes_on.places.get(n), goes_on.ends.get(n)
        if place and end and place not in here:
            found.setdefault(place, (end[0], *place, end[1]))
    return list(found.values())[:MOST]


def _read(user: User, wanted: Sequence[Stretch]) -> list[Passage]:
    with reading_as(user):
        documents = {row.pk: row for row in within_reach(user, {one[1] for one in wanted})}
        chunks = (
            Chunk.objects.filter(pk__in=[one[0] for one in wanted], document__in=list(documents))
            .select_related("document")
            .defer("terms", "bm25")
            .in_bulk()
        )
        return [
            _passage(chunks[chunk], start, end)
            for chunk, document, start, end in wanted
            if chunk in chunks and chunks[chunk].document_id == document
        ]


def _passage(chunk: Chunk, start: int, end: int) -> Passage:
    whole = passage_of(chunk)
    if (start, end) == (whole.start, whole.end):
        return whole
    text = (
        DocumentText.objects.filter(document=chunk.document_id)
        .values_list(Substr("text", start + 1, max(end - start, 0)), flat=True)
        .first()
    )
    line = whole.line if start == whole.start else None
    return replace(whole, text=text or "", start=start, end=end, line=line)
