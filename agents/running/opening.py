"""How a run began, kept with its first step: who takes it up has the same passages under the same
numbers, as far as the person may still read them, and knows no less of what it had read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from agents.authority.types import RunState
from agents.running.models import RunStep
from agents.running.reach import within_reach
from agents.running.transcript import Key
from agents.types import AgentTask, PackedPassage
from agents.types.openings import Opening, Place
from gateway.labels import Demand
from knowledge.labels import demands_of
from knowledge.models import Chunk, Document
from knowledge.retrieval.surroundings import passage_of
from knowledge.types import Passage
from observability.patience import run_patiently
from security.reading import reading_as

if TYPE_CHECKING:
    from agents.asking import Asked

MOST_BEFORE = 50  # runs that one goes on from
TEXTS = """
select w.k, w.document, w.start, substr(t.text, w.start + 1, w.stop - w.start)
from unnest(%s::uuid[], %s::int[], %s::int[]) with ordinality as w(document, start, stop, k)
join lateral (
    select text from knowledge_documenttext where document_id = w.document
    union all
    select e.text from knowledge_versiontext e
    join knowledge_documentversion v on v.id = e.version_id where v.document_id = w.document
) t on true
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run as it was begun: what was `attached`, `found` and `recalled`, as it may be read now.
    `demands` are those of what a model is shown, apart from those of what is only `recalled`."""

    opening: Opening
    attached: tuple[PackedPassage, ...]
    found: tuple[PackedPassage, ...]
    demands: tuple[Demand, ...]
    recalled: tuple[PackedPassage, ...] = ()
    recalled_demands: tuple[Demand, ...] = ()


def as_it_began(task: AgentTask, asked: "Asked", state: RunState) -> Opening:
    """How this run begins; of one that is taken up, or gone on from, how that did."""
    if asked.opening is not None:
        opening = asked.opening
        return replace(
            opening,
            taints=opening.taints | state.taints,
            readers=opening.readers | state.readers,
            before=task.after,
        )
    known = (*asked.passages, *asked.recalled)
    places = {packed.n: tuple(map(_place, packed.parts)) for packed in known}
    attached, taints = len(asked.reading.passages), frozenset(state.taints)
    return Opening(places, attached, taints, state.readers, task.after, len(asked.recalled))


def numbers_of(opening: Opening) -> dict[Key, int]:
    return {
        tuple((place.chunk_id, place.start) for place in places): n
        for n, places in opening.passages.items()
    }


def as_json(opening: Opening) -> dict[str, Any]:
    return {
        "passages": [
            [n, [[p.chunk_id, p.document_id, p.start, p.end, p.digest] for p in places]]
            for n, places in opening.passages.items()
        ],
        "attached": opening.attached,
        "taints": sorted(opening.taints),
        "readers": sorted(opening.readers),
        "before": opening.before,
        "recalled": opening.recalled,
    }


def find_opening(task: AgentTask) -> Opening | None:
    """That of the run, or of the one that it goes on from; None where neither has a step."""
    parent = task.caller.call_id if task.caller else ""
    found = kept(task.turn_id, parent)
    if found is None and task.after is not None and not parent:
        found = kept(task.after)
        return replace(found or Opening(), before=task.after)
    return found


def kept(run_id: UUID | None, parent: str = "") -> Opening | None:
    if run_id is None:
        return None
    steps = RunStep.objects.filter(run_id=run_id, parent=parent, ordinal=1)
    found = steps.values_list("opening", flat=True).first()
    if found is None:
        return None
    return Opening(
        {
            n: tuple(Place(UUID(c), UUID(d), *rest) for c, d, *rest in places)
            for n, places in found["passages"]
        },
        found["attached"],
        frozenset(found["taints"]),
        frozenset(map(UUID, found["readers"])),
        UUID(found["before"]) if found["before"] else None,
        found.get("recalled", 0),
    )


def runs_before(run_id: UUID | None) -> list[UUID]:
    """This run and those that it goes on from, the first one first."""
    found: list[UUID] = []
    while run_id is not None and len(found) < MOST_BEFORE:
        found.insert(0, run_id)
        opening = kept(run_id)
        run_id = opening.before if opening else None
    return found


async def as_it_was(task: AgentTask) -> Begun | None:
    """How the run was begun, if somebody did; asks nobody of a run that nobody else can hold."""
    if not (task.is_taken_up or task.after):
        return None
    opening = await run_patiently(find_opening, task)
    return None if opening is None else await run_patiently(read_again, task, opening)


def read_again(task: AgentTask, opening: Opening) -> Begun:
    """One whose words are in no version any more, or that the person may not read now, is missing,
    and its number is nobody else's."""
    wanted = [place for places in opening.passages.values() for place in places]
    with reading_as(task.user):
        parts = _parts(task, wanted)
    packed = {
        n: PackedPassage(n, tuple(parts[place] for place in places))
        for n, places in opening.passages.items()
        if all(place in parts for place in places)
    }
    numbers = list(opening.passages)
    first, last = opening.attached, len(numbers) - opening.recalled
    attached, found, recalled = (
        tuple(packed[n] for n in some if n in packed)
        for some in (numbers[:first], numbers[first:last], numbers[last:])
    )
    shown = _demands((*attached, *found))
    return Begun(opening, attached, found, shown, recalled, _demands(recalled))


def _demands(passages: Sequence[PackedPassage]) -> tuple[Demand, ...]:
    collections = {part.collection_id for one in passages for part in one.parts}
    return demands_of(collections) if collections else ()


def _parts(task: AgentTask, wanted: list[Place]) -> dict[Place, Passage]:
    documents = {row.pk: row for row in within_reach(task.user, {p.document_id for p in wanted})}
    if not documents:
        return {}
    chunks = Chunk.objects.filter(
        pk__in=[place.chunk_id for place in wanted], document__in=list(documents)
    ).select_related("document").defer("terms", "bm25")  # fmt: skip
    known = {chunk.pk: passage_of(chunk) for chunk in chunks}
    texts = _texts([place for place in wanted if place.document_id in documents])
    found: dict[Place, Passage] = {}
    for place in wanted:
        whole = known.get(place.chunk_id)
        if whole is not None and _digest(whole.text) == place.digest:
            found[place] = replace(whole, start=place.start, end=place.end)
        elif place in texts:
            found[place] = _passage(place, texts[place], documents[place.document_id], whole)
    return found


def _texts(places: list[Place]) -> dict[Place, str]:
    """The words of each in the version that has them."""
    values: list[Any] = [
        [p.document_id for p in places], [p.start for p in places], [p.end for p in places],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TEXTS, values)
        rows = cursor.fetchall()
    return {
        places[k - 1]: text
        for k, _document, _start, text in rows
        if _digest(text) == places[k - 1].digest
    }


def _passage(place: Place, text: str, document: Document, whole: Passage | None) -> Passage:
    return Passage(
        chunk_id=place.chunk_id,
        document_id=place.document_id,
        collection_id=document.collection_id,
        title=document.title,
        heading_path=whole.heading_path if whole else (),
        text=text,
        start=place.start,
        end=place.end,
        page=whole.page if whole else None,
        line=whole.line if whole and whole.start == place.start else None,
        head=whole.head if whole else "",
        score=0.0,
    )


def _place(part: Passage) -> Place:
    return Place(part.chunk_id, part.document_id, part.start, part.end, _digest(part.text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
