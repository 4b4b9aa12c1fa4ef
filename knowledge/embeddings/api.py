"""Embedding versions for programs; they are the administrators'."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Query, Router, Status

from accounts.access import require_editable
from accounts.callers import ACCOUNT, READ, caller
from accounts.models import User
from knowledge.embeddings import overview, versions
from knowledge.embeddings.schemas import (
    AnotherOut,
    ForceQuery,
    ModelIn,
    ModelQuery,
    ShareOut,
    VersionIn,
    VersionOut,
)
from knowledge.footprint import weigh
from knowledge.models import Collection, EmbeddingVersion
from knowledge.versions import find_active_version

router = Router(tags=["Search index"])


@router.get(
    "/embedding-versions", response=list[VersionOut], auth=ACCOUNT,
    summary="List embedding versions", operation_id="list_embedding_versions",
)  # fmt: skip
def list_versions(request: HttpRequest) -> Any:
    """The searched one first. For administrators; to others there is no such address."""
    _manager(request)
    return overview.list_shown()


@router.get(
    "/embedding-versions/another", response=AnotherOut, auth=ACCOUNT,
    summary="What another embedding version would take", operation_id="estimate_embedding_version",
)  # fmt: skip
def another(request: HttpRequest, body: Query[ModelQuery]) -> Any:
    """Passages, tokens, cost and time, and what was measured of each storage."""
    _manager(request)
    if body.model not in versions.list_models():
        raise Http404
    return overview.look_at(body.model)


@router.post(
    "/embedding-versions/measure", response={202: AnotherOut}, auth=ACCOUNT,
    summary="Measure the storages of a model", operation_id="measure_embedding_storages",
)  # fmt: skip
def measure(request: HttpRequest, body: ModelIn) -> Any:
    """Recall, size and speed of each, on a sample of the passages; embeds at most 512 of them."""
    versions.measure(body.model, _manager(request))
    return Status(202, overview.look_at(body.model))


@router.post(
    "/embedding-versions", response={201: VersionOut}, auth=ACCOUNT,
    summary="Begin an embedding version", operation_id="create_embedding_version",
)  # fmt: skip
def begin(request: HttpRequest, body: VersionIn) -> Any:
    """Filled in the background; search goes on with the version that is searched."""
    user = _manager(request)
    return Status(201, overview.show(versions.begin(body.model, body.storage, user)))


@router.post(
    "/embedding-versions/{int:number}/search", response=VersionOut, auth=ACCOUNT,
    summary="Search by an embedding version", operation_id="activate_embedding_version",
)  # fmt: skip
def search_by(request: HttpRequest, number: int, body: Query[ForceQuery]) -> Any:
    """From the next question on, in one transaction; also to go back to one that was searched.

    409 `change-held` where golden questions lose beyond noise; `force` switches nevertheless, which
    stands in the audit log."""
    user = _manager(request)
    _version(number)
    return overview.show(versions.choose(number, user, is_forced=body.force))


@router.post(
    "/embedding-versions/{int:number}/fill", response={202: VersionOut}, auth=ACCOUNT,
    summary="Fill an embedding version", operation_id="fill_embedding_version",
)  # fmt: skip
def fill(request: HttpRequest, number: int) -> Any:
    """Give the passages that lack one a vector; nothing where that is under way."""
    user = _manager(request)
    version = _version(number)
    versions.go_on(version, user)
    return Status(202, overview.show(version))


@router.post(
    "/embedding-versions/{int:number}/pause", response=VersionOut, auth=ACCOUNT,
    summary="Pause the filling of an embedding version", operation_id="pause_embedding_version",
)  # fmt: skip
def pause(request: HttpRequest, number: int) -> Any:
    """What is filled stays."""
    _manager(request)
    version = _version(number)
    versions.pause(version)
    return overview.show(version)


@router.delete(
    "/embedding-versions/{int:number}", response={202: None}, auth=ACCOUNT,
    summary="Drop an embedding version", operation_id="drop_embedding_version",
)  # fmt: skip
def drop(request: HttpRequest, number: int) -> Any:
    """With its vectors, in the background. Not the one that is searched."""
    user = _manager(request)
    _version(number)
    versions.drop(number, user)
    return Status(202, None)


@router.get(
    "/collections/{uuid:collection_id}/search-index", response=ShareOut, auth=READ,
    summary="Read the search index of a collection", operation_id="get_search_index",
)  # fmt: skip
def search_index(request: HttpRequest, collection_id: UUID) -> Any:
    """Needs the role editor."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    version = find_active_version()
    vectors, passages = overview.share_of(collection_id, version)
    return {
        "model": version.model, "dimensions": version.dimensions, "storage": version.storage,
        "vectors": vectors, "passages": passages, "bytes": weigh(collection, user),
    }  # fmt: skip


def _manager(request: HttpRequest) -> User:
    user = caller(request)
    if not versions.may_manage(user):
        raise Http404
    return user


def _version(number: int) -> EmbeddingVersion:
    version = EmbeddingVersion.objects.filter(pk=number).first()
    if version is None:
        raise Http404
    return version
