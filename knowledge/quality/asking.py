"""Golden questions asked of the search, as a person of the collection would."""

from collections.abc import Callable, Iterator
from collections.abc import Collection as Some
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from knowledge.curation.anchors import Anchor, find_anchor
from knowledge.glossary.presence import is_any_there
from knowledge.glossary.selectors import find_entries
from knowledge.models import (
    Collection,
    DocumentText,
    EmbeddingVersion,
    ExpectedPassage,
    GoldenQuestion,
)
from knowledge.quality.judging import DEPTH, Given, Judged, Wanted, judge, judge_nothing
from knowledge.retrieval import search
from knowledge.retrieval.understanding import Understood, understand
from knowledge.switches import USUAL, Switch, switched_on
from knowledge.types import Passage, SearchResult


class Answerer(Protocol):
    """Writes an answer to the question from the collection, and says which share of its sentences
    stands in their sources; None where it says nothing that could."""

    def __call__(self, user: User, collection: Collection, question: str) -> float | None: ...


class Finder(Protocol):
    """Finds what an answer from the collection would be chosen from, if its questions were
    understood in these ways beside the usual ones; raises what search raises."""

    def __call__(
        self, user: User, collection: Collection, question: str, ways: frozenset[Switch]
    ) -> SearchResult: ...


_answerer: list[Answerer] = []
_finder: list[Finder] = []


def answered_by(answerer: Answerer, finder: Finder) -> None:
    """At start, from the layer that answers."""
    _answerer[:] = [answerer]
    _finder[:] = [finder]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, how it fared, and the best of what it found."""

    question: GoldenQuestion
    judged: Judged
    found: list[dict[str, Any]]
    took_ms: float
    trouble: str = ""  # why it was not reranked, where it was to be


class NobodyReads(Exception):
    """No active person may see the collection: nobody can ask anything of it."""


def counted_of(collection: Collection) -> list[GoldenQuestion]:
    """In the order in which they were added."""
    rows = GoldenQuestion.objects.counted().filter(collection=collection)
    return list(rows.order_by("pk").prefetch_related("expected"))


def asker_of(collection: Collection, wish: User | None = None) -> User:
    """Whose eyes search: theirs who began it, else the owner's. Raises NobodyReads."""
    for person in (wish, collection.owner):
        if person is None:
            continue
        if Collection.objects.visible_to(person).filter(pk=collection.pk).exists():
            return person
    raise NobodyReads


def ask_all(
    collection: Collection,
    questions: list[GoldenQuestion],
    user: User,
    *,
    version: EmbeddingVersion | None = None,
    ways: frozenset[Switch] = frozenset(),
    asks_answers: bool = False,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Asked]:
    """One after the other, of this version or understood in these `ways`; raises what search
    raises."""
    places = Places(questions)
    for n, question in enumerate(questions):
        report(n, len(questions))
        found = _found(user, collection, question.text, version, ways)
        judged = judge_found(question, found, places)
        if asks_answers and _answerer:
            supported = _answerer[0](user, collection, question.text)
            judged = Judged(judged.rank, judged.ndcg, judged.is_quiet, supported)
        shown = [_shown(passage) for passage in found.passages[:DEPTH]]
        yield Asked(question, judged, shown, found.took_ms, found.trouble)
    report(len(questions), len(questions))


def _found(
    user: User,
    collection: Collection,
    text: str,
    version: EmbeddingVersion | None,
    ways: frozenset[Switch],
) -> SearchResult:
    """As an answer would: in the glossary's other words too, and what resembles nothing is
    nothing."""
    if ways and _finder:
        return _finder[0](user, collection, text, ways)
    also = by_rules(user, collection, text, usual_ways(collection)).also
    return search(user, text, [collection.pk], DEPTH, also=also, version=version, only_alike=True)


def by_rules(user: User, collection: Collection, text: str, switches: Some[Switch]) -> Understood:
    """What is searched for beside the question, as far as nobody has to be asked for it."""
    entries = list[list[str]]()
    if Switch.GLOSSARY in switches and is_any_there():
        entries = find_entries(user, text, [collection.pk])
    return understand(text, (), switches, timezone.now(), entries=entries)


def usual_ways(collection: Collection) -> frozenset[Switch]:
    """Those that need nobody's word, as far as the collection does not say no."""
    return USUAL & switched_on({}, [collection.understanding])


def judge_found(question: GoldenQuestion, found: SearchResult, places: "Places") -> Judged:
    given = [given_of(passage) for passage in found.passages]
    return judge_nothing(given) if question.must_find_nothing else judge(places.of(question), given)


def given_of(passage: Passage) -> Given:
    return Given(passage.document_id, passage.text, passage.start, passage.end)


class Places:
    """Where the quotes of these questions stand today; each document's text is read once."""

    def __init__(self, questions: list[GoldenQuestion]) -> None:
        self._wanted: dict[UUID, list[Wanted]] = {question.pk: [] for question in questions}
        rows = ExpectedPassage.objects.filter(question__in=self._wanted)
        here = rows.filter(document__collection_id__in={q.collection_id for q in questions})
        by_document: dict[UUID, list[ExpectedPassage]] = {}
        for row in here.order_by("pk"):
            by_document.setdefault(row.document_id, []).append(row)
        for document_id, wishes in by_document.items():
            text = self._text_of(document_id) if any(wish.quote for wish in wishes) else ""
            for wish in wishes:
                self._wanted[wish.question_id].append(_placed(wish, text))

    def of(self, question: GoldenQuestion) -> list[Wanted]:
        return self._wanted[question.pk]

    @staticmethod
    def _text_of(document_id: UUID) -> str:
        texts = DocumentText.objects.filter(document=document_id)
        return texts.values_list("text", flat=True).first() or ""


def _placed(wish: ExpectedPassage, text: str) -> Wanted:
    span = find_anchor(text, Anchor(wish.quote, start=wish.start)) if wish.quote else None
    return Wanted(wish.document_id, wish.quote, *(span or (0, 0)))


def _shown(passage: Passage) -> dict[str, Any]:
    return {
        "document": str(passage.document_id),
        "start": passage.start,
        "end": passage.end,
        "score": round(passage.score, 4),
    }
