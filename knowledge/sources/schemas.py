"""What the JSON API says and accepts about sources."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import StringConstraints

from knowledge.models import SyncRun
from knowledge.schemas import AT, ID, Name, example
from knowledge.sources.standing import standing_of
from security.schemas import PageQuery, WriteSchema

Kind = Literal["folder", "git", "web", "feed", "s3", "api"]
Schedule = Literal["manual", "hourly", "daily", "weekly"]
Grace = Annotated[int, Field(ge=0, le=365)]
Secret = Annotated[str, StringConstraints(max_length=4000)]
Settings = Annotated[
    dict[str, Any],
    Field(
        description="By kind. `web`: `address`, `reach` (`page`, `site`, `sitemap`), `depth`, "
        "`most_pages`, `pause_seconds`, `include`, `exclude`. `git`: `address` (or a path of the "
        "server), `branch`, `username`, `include`, `exclude`. `feed`: `address`, "
        "`has_full_pages`. `folder`: `path`, `include`, `exclude`. `s3`: `address`, `bucket`, "
        "`prefix`, `region`, `access_key`, `include`, `exclude`; `secret` is the secret key. "
        "`api`: none."
    ),
]


class SourceIn(WriteSchema):
    kind: Kind
    name: Name
    settings: Settings = {}
    secret: Secret = Field(
        "", description="A token, or `name:password`. It is sealed and never given out again."
    )
    schedule: Schedule = "daily"
    grace_days: Grace | None = Field(
        None, description="Between an item's disappearance and its document's; null: 7, of `api` 0."
    )

    model_config = example(
        kind="git", name="Docs", schedule="hourly",
        settings={"address": "https://git.example.org/team/docs.git", "include": ["docs/**"]},
    )  # fmt: skip


class SourcePatch(WriteSchema):
    """What is missing or null stays as it is."""

    name: Name | None = None
    settings: Settings | None = None
    secret: Secret | None = None
    schedule: Schedule | None = None
    grace_days: Grace | None = None

    model_config = example(schedule="weekly")


class RunOut(Schema):
    id: UUID
    status: str = Field(
        description="`queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`."
    )
    is_preview: bool = Field(description="Nothing was stored: it says what would come.")
    is_scheduled: bool
    job_id: UUID | None = Field(description="Its events: `/jobs/{id}/events`.")
    added: int
    changed: int
    unchanged: int
    removed: int
    failed: int
    total: int | None
    seconds_left: int | None = Field(description="A guess; null while there is none.")
    reason: str
    sample: list[dict[str, str]] = Field(
        description="The first items that failed and why; of a preview, the first that would come."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    model_config = example(
        id=ID, status="succeeded", is_preview=False, is_scheduled=True, job_id=ID, added=3,
        changed=1, unchanged=120, removed=0, failed=1, total=125, seconds_left=None,
        reason="",
        sample=[{"item": "logo.bin", "reason": "This type of file cannot be read yet."}],
        created_at=AT, started_at=AT, finished_at=AT,
    )  # fmt: skip


class SourceOut(Schema):
    id: UUID
    collection_id: UUID
    kind: str
    name: str
    settings: dict[str, Any]
    secret_hint: str = Field(description="The end of its secret; empty if it has none.")
    schedule: str
    grace_days: int
    is_paused: bool
    next_run_at: datetime | None
    standing: str = Field(
        description="`in_step`, `syncing`, `failed` (the last visit), `cancelled`, `late` (its "
        "time is over), `new` (never visited), `paused` or `pushed` (by another program)."
    )
    last_visit_at: datetime | None = Field(description="When the last visit ended, however.")
    item_count: int
    failed_count: int
    missing_count: int
    last_run: RunOut | None = Field(description="Also a preview, and one under way.")

    model_config = example(
        id=ID, collection_id=ID, kind="git", name="Docs", settings={
            "address": "https://git.example.org/team/docs.git", "branch": "", "username": "",
            "include": ["docs/**"], "exclude": [],
        },
        secret_hint="…", schedule="hourly", grace_days=7, is_paused=False,  # noqa: S106
        next_run_at=AT, standing="in_step", last_visit_at=AT,
        item_count=124, failed_count=1, missing_count=0, last_run=None,
    )  # fmt: skip

    @staticmethod
    def resolve_last_run(source: Any) -> SyncRun | None:
        return next(iter(source.last_runs), None)

    @staticmethod
    def resolve_standing(source: Any) -> str:
        return standing_of(
            source, next(iter(source.last_runs), None), next(iter(source.last_visits), None)
        )

    @staticmethod
    def resolve_last_visit_at(source: Any) -> datetime | None:
        return next((visit.finished_at for visit in source.last_visits), None)


class SyncIn(WriteSchema):
    is_full: bool = Field(
        False, description="Also try those again that were refused for what they are."
    )
    with_deleted: bool = Field(False, description="Also bring back what people deleted here.")

    model_config = example(is_full=True)


class ItemOut(Schema):
    external_id: str
    title: str
    address: str
    state: str = Field(description="`present`, `failed`, `missing` or `left_out`.")
    reason: str
    commit: str
    document_id: UUID | None
    missing_since: datetime | None
    updated_at: datetime

    model_config = example(
        external_id="docs/leave.md", title="docs/leave.md", address="", state="present", reason="",
        commit="7ef3447a", document_id=ID, missing_since=None, updated_at=AT,
    )  # fmt: skip


class ItemQuery(PageQuery):
    state: Literal["", "present", "failed", "missing", "left_out"] = ""


class ItemName(Schema):
    external_id: str = Field(min_length=1, max_length=4000)


class ItemForm(ItemName):
    title: str = Field("", max_length=300)
    address: str = Field("", max_length=2000)


class ItemPut(Schema):
    outcome: str = Field(description="`added`, `changed` or `unchanged`.")
    document_id: UUID
    status: str

    model_config = example(outcome="added", document_id=ID, status="queued")


class DeleteQuery(Schema):
    documents: Literal["keep", "remove"] = Field(
        "keep", description="Whether its documents stay, as uploads, or go with it."
    )
