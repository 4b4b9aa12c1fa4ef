"""Reads about golden questions, shaped for pages and programs; each of what its reader may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    Func,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    TextField,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce, Concat
from django.http import Http404

from accounts.access import require_visible
from accounts.models import User
from knowledge.models import (
    ApprovedAnswer,
    ApprovedSource,
    ApprovedWording,
    Collection,
    Document,
    ExpectedPassage,
    GoldenQuestion,
    QualityResult,
    QualityRun,
)
from knowledge.quality.judging import Judged
from security.paging import Page, paginate
from security.reading import reading_as, second_lock

SHOWN_RUNS = 60  # of a trend
ALL = "all"


class ToChar(Func):
    function = "to_char"
    output_field = TextField()


# What `_value` and `Compared.step` are, for Postgres to put results in order.
VALUE = Case(
    When(is_quiet=True, then=1.0),
    When(is_quiet=False, then=0.0),
    default="ndcg",
    output_field=FloatField(),
)
STEP = Case(
    When(now__lt=F("was"), then=Value("0")),
    When(now__gt=F("was"), then=Value("2")),
    default=Value("1"),
    output_field=TextField(),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A question's result in a run, and in the run before."""

    question: GoldenQuestion
    now: QualityResult
    before: QualityResult | None

    @property
    def step(self) -> int:
        """1 where it became better, -1 where worse."""
        was, is_ = _value(self.before), _value(self.now)
        return 0 if was is None or is_ is None else (is_ > was) - (is_ < was)


@dataclass(frozen=True, slots=True)
class Listed:
    """A question with what it found last, and before that."""

    question: GoldenQuestion
    latest: Compared | None


def _value(result: QualityResult | None) -> float | None:
    if result is None:
        return None
    return result.ndcg if result.is_quiet is None else float(result.is_quiet)


def list_questions(user: User, collection_id: UUID, state: str = "", text: str = "") -> Any:
    """Newest first; proposed ones of a collection are its editors' alone to see."""
    rows = GoldenQuestion.objects.visible_to(user).filter(collection=collection_id)
    if not Collection.objects.editable_by(user).filter(pk=collection_id).exists():
        rows = rows.filter(state=GoldenQuestion.State.ACCEPTED)
    if state and state != ALL:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(text__icontains=text)
    return rows.prefetch_related(_of_documents(user, "expected", ExpectedPassage))


@second_lock
def list_approved(
    user: User, collection_id: UUID, limit: int, cursor: str | None = None
) -> Page[ApprovedAnswer]:
    """Newest first, expired ones too."""
    rows = ApprovedAnswer.objects.visible_to(user).filter(collection=collection_id)
    found = paginate(rows, ["-id"], cursor, limit)
    wordings = ApprovedWording.objects.filter(answer__in=ApprovedAnswer.objects.visible_to(user))
    prefetch_related_objects(
        found.items,
        Prefetch("wordings", wordings),
        _of_documents(user, "sources", ApprovedSource),
    )
    return found


def narrowed(user: User, question: GoldenQuestion) -> GoldenQuestion:
    """The same question; of what it expects that alone which this person may see."""
    prefetch_related_objects([question], _of_documents(user, "expected", ExpectedPassage))
    return question


def _of_documents(
    user: User, name: str, model: type[ExpectedPassage | ApprovedSource]
) -> "Prefetch[Any]":
    """Passages that are named by their words, of documents that this person may see."""
    rows = model.objects.filter(document__in=Document.objects.visible_to(user))
    return Prefetch(name, rows.select_related("document"))


@second_lock
def count_states(user: User, collection_id: UUID) -> dict[str, int]:
    rows = GoldenQuestion.objects.visible_to(user).filter(collection=collection_id)
    counts = {state: Count("pk", filter=Q(state=state)) for state in GoldenQuestion.State.values}
    found: dict[str, int] = rows.aggregate(**counts)
    return found


def are_runs_told(user: User, collection_id: UUID) -> bool:
    """Not to a reader from whom a document is kept: figures are of all questions together.

    Asked outside the second lock, which would hide that something is kept.
    """
    kept = Collection.parts_apart.kept_from(user).filter(part_of=collection_id)
    return not kept.exists()


def list_runs(user: User, collection_id: UUID, count: int = SHOWN_RUNS) -> list[QualityRun]:
    """Newest first; those that a gate asked for have their own pair and are no part of it."""
    if not are_runs_told(user, collection_id):
        return []
    rows = QualityRun.objects.visible_to(user).filter(collection=collection_id)
    with reading_as(user):
        return list(rows.exclude(cause=QualityRun.Cause.GATE)[:count])


def require_run(user: User, run_id: UUID) -> QualityRun:
    """Raises Http404 for who may not see its collection, or is not told of its runs."""
    run: QualityRun = require_visible(QualityRun.objects, user, run_id)
    if not are_runs_told(user, run.collection_id):
        raise Http404
    return run


@second_lock
def compare_run(
    user: User, run: QualityRun, limit: int, cursor: str | None = None
) -> tuple[list[Compared], str | None]:
    """A page of questions with their results beside those of the run before, what became worse
    first; and the cursor of the next one. Raises InvalidCursor."""
    seen = GoldenQuestion.objects.visible_to(user).filter(collection=run.collection_id)
    of_before = QualityResult.objects.filter(run=run.before_id)
    was = of_before.filter(question=OuterRef("question")).values(value=VALUE)
    rows = run.results.filter(question__in=seen).annotate(now=VALUE, was=Subquery(was[:1]))
    rows = rows.annotate(place=Concat(STEP, ToChar(Coalesce("now", 0.0), Value("FM0.000000"))))
    page = paginate(rows.select_related("question"), ["place", "id"], cursor, limit)
    known = {one.question_id: one for one in of_before.filter(question__in=_asked(page.items))}
    found = [Compared(one.question, one, known.get(one.question_id)) for one in page.items]
    return found, page.next


def _asked(results: Iterable[QualityResult]) -> list[UUID]:
    return [one.question_id for one in results]


def latest_of(run: QualityRun | None, questions: Sequence[GoldenQuestion]) -> dict[UUID, Compared]:
    """What these questions found in that run."""
    if run is None:
        return {}
    wanted = [question.pk for question in questions]
    found = QualityResult.objects.filter(question__in=wanted)
    now = {one.question_id: one for one in found.filter(run=run)}
    before = {one.question_id: one for one in found.filter(run=run.before_id)}
    return {
        question.pk: Compared(question, now[question.pk], before.get(question.pk))
        for question in questions
        if question.pk in now
    }


def judged_of(result: QualityResult) -> Judged:
    return Judged(result.rank, result.ndcg, result.is_quiet, result.supported)
