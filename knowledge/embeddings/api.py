"""Embedding versions for programs; they are the administrators'."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema, Status

from accounts.access import require_editable
from accounts.callers import ACCOUNT, READ, caller
from accounts.models import User
from knowledge.embeddings import overview, versions
from knowledge.embeddings.estimates import Estimate
from knowledge.models import Collection, EmbeddingVersion
from knowledge.versions import find_active_version
from security.schemas import WriteSchema

router = Router(tags=["Search index"])


class EstimateOut(Schema):
    """Of what is still to be embedded; `null` where nobody knows."""

    passages: int
    tokens: int
    cost: str | None = Field(examples=["4.2000"])
    currency: str
    seconds: float | None

    @staticmethod
    def resolve_cost(found: Estimate) -> str | None:
        return None if found.cost is None else f"{found.cost:f}"


class VersionOut(Schema):
    id: int = Field(alias="version.id")
    model: str = Field(alias="version.model", examples=["all-MiniLM-L6-v2"])
    dimensions: int = Field(alias="version.dimensions", examples=[384])
    storage: str = Field(alias="version.storage", examples=["half"])
    state: str = Field(alias="version.state", examples=["active"])
    rate: float | None = Field(alias="version.rate")
    created_at: datetime = Field(alias="version.created_at")
    vectors: int
    passages: int
    bytes: int
    is_indexed: bool
    rest: EstimateOut | None
    job_id: UUID | None = None
    reason: str

    @staticmethod
    def resolve_job_id(shown: overview.Shown) -> UUID | None:
        return shown.job.pk if shown.job else None


class ChoiceOut(Schema):
    """A way of keeping the vectors, with what was measured of it."""

    storage: str = Field(examples=["half"])
    recall: float | None
    bytes: int | None
    p50_ms: float | None


class AnotherOut(Schema):
    model: str
    estimate: EstimateOut
    choices: list[ChoiceOut]
    taken: list[str]
    is_being_measured: bool = False
    reason: str

    @staticmethod
    def resolve_is_being_measured(found: overview.Another) -> bool:
        return found.measuring is not None


class ModelQuery(Schema):
    model: str = Field(max_length=120, examples=["all-MiniLM-L6-v2"])


class ModelIn(WriteSchema):
    model: str = Field(max_length=120, examples=["all-MiniLM-L6-v2"])


class VersionIn(ModelIn):
    storage: EmbeddingVersion.Storage = Field(
        EmbeddingVersion.Storage.HALF, description="`float`, `half` or `binary`."
    )


class ShareOut(Schema):
    """How many passages of a collection are found by their vectors too."""

    model: str
    dimensions: int
    storage: str
    vectors: int
    passages: int


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
def search_by(request: HttpRequest, number: int) -> Any:
    """From the next question on, in one transaction; also to go back to one that was searched."""
    user = _manager(request)
    _version(number)
    return overview.show(versions.choose(number, user))


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
    require_editable(Collection.objects, caller(request), collection_id)
    version = find_active_version()
    vectors, passages = overview.share_of(collection_id, version)
    return {
        "model": version.model, "dimensions": version.dimensions, "storage": version.storage,
        "vectors": vectors, "passages": passages,
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
