from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from knowledge.bulk import Action
from knowledge.matching import orders
from knowledge.matching.schemas import (
    MatchingCount,
    MatchingIn,
    MatchingOut,
    MatchingQuery,
    to_wanted,
)
from knowledge.matching.walking import count
from knowledge.models import Collection

router = Router()


@router.get(
    "/collections/{uuid:collection_id}/documents/matching", response=MatchingCount, auth=READ,
    tags=["Documents"], summary="Count documents that match",
    operation_id="count_matching_documents",
)  # fmt: skip
def count_matching(request: HttpRequest, collection_id: UUID, filters: Query[MatchingQuery]) -> Any:
    """Those that `POST` would change. Needs the role editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    return {"count": count(user, collection.pk, to_wanted(filters))}


@router.post(
    "/collections/{uuid:collection_id}/documents/matching", response={202: MatchingOut},
    auth=WRITE, tags=["Documents"], summary="Change all documents that match",
    operation_id="change_matching_documents",
)  # fmt: skip
def change_matching(request: HttpRequest, collection_id: UUID, body: MatchingIn) -> Any:
    """Does one thing to all of them that are there now, however many, by a job of yours in batches.
    Needs the role editor all the while; a move, in both collections."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    job = orders.start(user, collection, Action(body.action), to_wanted(body), body.target)
    return Status(202, {"job_id": job.pk})


@router.post(
    "/collections/{uuid:collection_id}/documents/matching/{uuid:job_id}/undo",
    response={202: MatchingOut}, auth=WRITE, tags=["Documents"],
    summary="Undo a change of all that match", operation_id="undo_matching_documents",
)  # fmt: skip
def undo_matching(request: HttpRequest, collection_id: UUID, job_id: UUID) -> Any:
    """By another job, once yours has ended or was stopped. What was deleted comes back within ten
    minutes of its deletion."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    return Status(202, {"job_id": orders.undo(user, collection, job_id).pk})
