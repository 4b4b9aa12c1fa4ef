"""Golden questions, runs, tuning and approved answers for programs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.access import require_editable, require_visible
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from knowledge.models import (
    ApprovedAnswer,
    Collection,
    GoldenQuestion,
    QualityRun,
    QualityTuning,
)
from knowledge.quality import (
    approved,
    importing,
    proposing,
    running,
    scheduling,
    selectors,
    services,
    tuning,
)
from knowledge.quality.schemas import (
    ApprovedIn,
    ApprovedOut,
    ForceIn,
    ImportIn,
    ImportOut,
    PlanBody,
    PlanOut,
    ProposeIn,
    QuestionIn,
    QuestionOut,
    QuestionQuery,
    ReviewIn,
    RunIn,
    RunOut,
    RunWhole,
    TuningOut,
)
from security.paging import paginate
from security.rate_limits import Action
from security.reading import reading_as
from security.schemas import PageOf, PageQuery

router = Router(tags=["Quality"])
PLACE = "/collections/{uuid:collection_id}"


@router.get(
    PLACE + "/golden-questions", response=PageOf[QuestionOut], auth=READ,
    summary="List golden questions", operation_id="list_golden_questions",
)  # fmt: skip
def list_questions(request: HttpRequest, collection_id: UUID, page: Query[QuestionQuery]) -> Any:
    """Newest first. Readers see accepted ones, editors all."""
    user = caller(request)
    require_visible(Collection.objects, user, collection_id)
    rows = selectors.list_questions(user, collection_id, page.state, page.q)
    with reading_as(user):
        return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    PLACE + "/golden-questions", response={201: QuestionOut}, auth=WRITE,
    summary="Add a golden question", operation_id="create_golden_question",
)  # fmt: skip
def add_question(request: HttpRequest, collection_id: UUID, body: QuestionIn) -> Any:
    """From an editor it counts at once, from a reader it waits until an editor accepts it. The same
    question again gets these expectations too."""
    user = caller(request)
    collection = require_visible(Collection.objects, user, collection_id)
    made = services.add_question(
        user, collection, body.question,
        expected=body.expectations(), must_find_nothing=body.must_find_nothing, note=body.note,
    )  # fmt: skip
    return Status(201, selectors.narrowed(user, made))


@router.post(
    PLACE + "/golden-questions/import", response=ImportOut, auth=WRITE,
    summary="Import golden questions", operation_id="import_golden_questions",
)  # fmt: skip
def import_questions(request: HttpRequest, collection_id: UUID, body: ImportIn) -> Any:
    """Lines with a problem are left out and say why. Needs the role editor."""
    spend_for(request, Action.UPLOADS)
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    lines = importing.look_through(user, collection, body.content)
    added = 0 if body.preview else importing.take(user, collection, lines)
    return {"added": added, "lines": lines}


@router.post(
    PLACE + "/golden-questions/propose", response={202: None}, auth=WRITE,
    summary="Let a model propose golden questions", operation_id="propose_golden_questions",
)  # fmt: skip
def propose_questions(request: HttpRequest, collection_id: UUID, body: ProposeIn) -> Any:
    """In the background, on your account. None counts before somebody has accepted it. Needs the
    role editor."""
    spend_for(request, Action.TURNS)
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    proposing.start_proposing(collection, user, body.count)
    return Status(202, None)


@router.put(
    "/golden-questions/{uuid:golden_id}", response=QuestionOut, auth=WRITE,
    summary="Change a golden question", operation_id="change_golden_question",
)  # fmt: skip
def change_question(request: HttpRequest, golden_id: UUID, body: QuestionIn) -> Any:
    """Its words and all that it expects; it is accepted by that. Needs the role editor."""
    user = caller(request)
    question = require_editable(GoldenQuestion.objects, user, golden_id)
    changed = services.change_question(
        user, question, body.question,
        expected=body.expectations(), must_find_nothing=body.must_find_nothing, note=body.note,
    )  # fmt: skip
    return selectors.narrowed(user, changed)


@router.post(
    "/golden-questions/{uuid:golden_id}/review", response=QuestionOut, auth=WRITE,
    summary="Accept or decline a golden question", operation_id="review_golden_question",
)  # fmt: skip
def review_question(request: HttpRequest, golden_id: UUID, body: ReviewIn) -> Any:
    """Needs the role editor."""
    user = caller(request)
    question = require_editable(GoldenQuestion.objects, user, golden_id)
    reviewed = services.review_question(user, question, is_accepted=body.accepted)
    return selectors.narrowed(user, reviewed)


@router.delete(
    "/golden-questions/{uuid:golden_id}", response={204: None}, auth=WRITE,
    summary="Delete a golden question", operation_id="delete_golden_question",
)  # fmt: skip
def delete_question(request: HttpRequest, golden_id: UUID) -> Any:
    """With its results. Needs the role editor."""
    user = caller(request)
    services.delete_question(user, require_editable(GoldenQuestion.objects, user, golden_id))
    return Status(204, None)


@router.get(
    PLACE + "/quality/runs", response=PageOf[RunOut], auth=READ,
    summary="List runs of golden questions", operation_id="list_quality_runs",
)  # fmt: skip
def list_runs(request: HttpRequest, collection_id: UUID, page: Query[PageQuery]) -> Any:
    """Newest first, with their figures; none where a document of the collection is kept from you,
    since figures are of all questions together."""
    user = caller(request)
    require_visible(Collection.objects, user, collection_id)
    rows = QualityRun.objects.visible_to(user).filter(collection=collection_id)
    if not selectors.are_runs_told(user, collection_id):
        rows = rows.none()
    with reading_as(user):
        return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    PLACE + "/quality/runs", response={202: RunOut}, auth=WRITE,
    summary="Ask the golden questions", operation_id="start_quality_run",
)  # fmt: skip
def start_run(request: HttpRequest, collection_id: UUID, body: RunIn) -> Any:
    """In the background; one that waits already is that one. Needs the role editor."""
    spend_for(request, Action.TURNS if body.ways else Action.SEARCHES)
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    ways = None if body.ways is None else frozenset(body.ways)
    cause = running.Cause.HAND if ways is None else running.Cause.GATE
    run = running.start_run(collection, cause, user, asks_answers=body.answers, ways=ways)
    return Status(202, run)


@router.get(
    "/quality-runs/{uuid:quality_run_id}", response=RunWhole, auth=READ,
    summary="Read a run of golden questions", operation_id="get_quality_run",
)  # fmt: skip
def get_run(request: HttpRequest, quality_run_id: UUID, page: Query[PageQuery]) -> Any:
    """With a page of the questions' results, those that became worse first; `next` is the cursor
    of the page after it."""
    user = caller(request)
    run: Any = selectors.require_run(user, quality_run_id)
    run.compared, run.next = selectors.compare_run(user, run, page.limit, page.cursor)
    return run


@router.get(
    PLACE + "/quality/plan", response=PlanOut, auth=READ,
    summary="Read when golden questions are asked", operation_id="get_quality_plan",
)  # fmt: skip
def get_plan(request: HttpRequest, collection_id: UUID) -> Any:
    """Besides after every change. Needs the role editor."""
    collection = require_editable(Collection.objects, caller(request), collection_id)
    return scheduling.plan_of(collection)


@router.put(
    PLACE + "/quality/plan", response=PlanOut, auth=WRITE,
    summary="Change when golden questions are asked", operation_id="change_quality_plan",
)  # fmt: skip
def change_plan(request: HttpRequest, collection_id: UUID, body: PlanBody) -> Any:
    """Needs the role editor."""
    collection = require_editable(Collection.objects, caller(request), collection_id)
    return scheduling.set_plan(collection, schedule=body.schedule, asks_answers=body.answers)


@router.get(
    PLACE + "/quality/tunings", response=PageOf[TuningOut], auth=READ,
    summary="List tunings", operation_id="list_tunings",
)  # fmt: skip
def list_tunings(request: HttpRequest, collection_id: UUID, page: Query[PageQuery]) -> Any:
    """Newest first. Needs the role editor."""
    user = caller(request)
    require_editable(Collection.objects, user, collection_id)
    rows = QualityTuning.objects.editable_by(user).filter(collection=collection_id)
    return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    PLACE + "/quality/tunings", response={202: TuningOut}, auth=WRITE,
    summary="Look for better weights", operation_id="start_tuning",
)  # fmt: skip
def start_tuning(request: HttpRequest, collection_id: UUID) -> Any:
    """In the background; nothing is applied by itself. Needs the role editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    return Status(202, tuning.start_tuning(collection, user))


@router.post(
    "/tunings/{uuid:tuning_id}/apply", response=TuningOut, auth=WRITE,
    summary="Apply tuned weights", operation_id="apply_tuning",
)  # fmt: skip
def apply_tuning(request: HttpRequest, tuning_id: UUID, body: ForceIn) -> Any:
    """409 `change-held` where they lose on held-out questions, or were measured on other documents;
    `force` applies them nevertheless, which stands in the audit log. Needs the role editor."""
    user = caller(request)
    found = require_editable(QualityTuning.objects, user, tuning_id)
    return tuning.apply_tuning(user, found, is_forced=body.force)


@router.post(
    "/tunings/{uuid:tuning_id}/revert", response=TuningOut, auth=WRITE,
    summary="Take tuned weights back", operation_id="revert_tuning",
)  # fmt: skip
def revert_tuning(request: HttpRequest, tuning_id: UUID) -> Any:
    """The collection is searched as before they were applied. Needs the role editor."""
    user = caller(request)
    return tuning.revert_tuning(user, require_editable(QualityTuning.objects, user, tuning_id))


@router.get(
    PLACE + "/approved-answers", response=PageOf[ApprovedOut], auth=READ,
    summary="List approved answers", operation_id="list_approved_answers",
)  # fmt: skip
def list_approved(request: HttpRequest, collection_id: UUID, page: Query[PageQuery]) -> Any:
    """Newest first, expired ones too."""
    user = caller(request)
    require_visible(Collection.objects, user, collection_id)
    return selectors.list_approved(user, collection_id, page.limit, page.cursor)


@router.post(
    PLACE + "/approved-answers", response={201: ApprovedOut}, auth=WRITE,
    summary="Approve an answer", operation_id="create_approved_answer",
)  # fmt: skip
def approve_answer(request: HttpRequest, collection_id: UUID, body: ApprovedIn) -> Any:
    """Given first to whoever asks so, or nearly so, and may see the collection. Needs the role
    editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    return Status(201, _approve(user, collection, body, None))


@router.put(
    "/approved-answers/{uuid:approved_id}", response=ApprovedOut, auth=WRITE,
    summary="Change an approved answer", operation_id="change_approved_answer",
)  # fmt: skip
def change_approved(request: HttpRequest, approved_id: UUID, body: ApprovedIn) -> Any:
    """All of it. Needs the role editor."""
    user = caller(request)
    answer = require_editable(ApprovedAnswer.objects, user, approved_id)
    return _approve(user, answer.collection, body, answer)


@router.delete(
    "/approved-answers/{uuid:approved_id}", response={204: None}, auth=WRITE,
    summary="Withdraw an approved answer", operation_id="delete_approved_answer",
)  # fmt: skip
def withdraw_answer(request: HttpRequest, approved_id: UUID) -> Any:
    """Needs the role editor."""
    user = caller(request)
    approved.withdraw(user, require_editable(ApprovedAnswer.objects, user, approved_id))
    return Status(204, None)


def _approve(
    user: Any, collection: Collection, body: ApprovedIn, answer: ApprovedAnswer | None
) -> ApprovedAnswer:
    return approved.approve(
        user, collection, body.question, body.answer,
        wordings=body.wordings, sources=[one.to_expectation() for one in body.sources],
        expires_at=body.expires_at, answer=answer,
    )  # fmt: skip
