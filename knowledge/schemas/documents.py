"""Documents, their passages, and what is done to many at once."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from ninja import Schema
from pydantic import Field, model_validator

from knowledge.bulk import MOST, Action
from knowledge.schemas.base import AT, ID, example
from security.schemas import PageQuery, WriteSchema


class StageOut(Schema):
    name: str = Field(
        description="`fetch`, `extract`, `clean`, `chunk`, `enrich`, `embed` or `load`."
    )
    status: str = Field(description="`waiting`, `running`, `done` or `failed`.")
    done: int
    total: int
    reason: str


class DocumentAccepted(Schema):
    id: UUID
    status: str
    is_new: bool = Field(description="False: these bytes were in the collection already.")

    model_config = example(id=ID, status="queued", is_new=True)


class TwinOut(Schema):
    document_id: UUID
    title: str
    is_same: bool = Field(description="The same words; else nearly.")

    model_config = example(document_id=ID, title="Travel policy (copy)", is_same=True)


class DocumentOut(Schema):
    id: UUID
    collection_id: UUID = Field(
        description="Its own id where it is shared with you without its collection."
    )
    title: str
    file_name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    status: str = Field(description="`queued`, `running`, `ready`, `failed` or `paused`.")
    reason: str = Field(description="Why it failed, in plain words; else empty.")
    language: str
    page_count: int | None
    chunk_count: int
    version_number: int = Field(description="Of the content that is searched.")
    job_id: UUID | None = Field(description="The job that indexes it, for /jobs/{id}.")
    stages: list[StageOut]
    twin: TwinOut | None = Field(
        None, description="With `list=duplicates` of one collection: a document that is like it."
    )
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_twin(document: Any) -> Any:
        return getattr(document, "twin", None)

    model_config = example(
        id=ID, collection_id=ID, title="Travel policy", file_name="travel.pdf",
        media_type="application/pdf", size=184_213, sha256="9f86d0…", status="running", reason="",
        language="en", page_count=4, chunk_count=0, version_number=1, job_id=ID,
        stages=[{"name": "embed", "status": "running", "done": 8, "total": 31, "reason": ""}],
        created_at=AT, updated_at=AT,
    )  # fmt: skip


class DocumentQuery(PageQuery):
    collection: UUID | None = Field(None, description="Only documents of this collection.")
    list: Literal["", "failed", "stale", "duplicates", "uncited", "excluded", "shared"] = Field(
        "",
        description="`stale`: not renewed for `PARLEY_STALE_DAYS`; `duplicates`: the same text as "
        "another one, or nearly; `uncited`: only of those that you may edit, a page may be short "
        "or empty and still have a `next`; `shared`: those whose collection you do not read.",
    )
    q: str = Field("", max_length=200, description="Part of the title or the file name.")
    status: Literal["", "queued", "running", "ready", "failed", "paused", "active"] = ""
    kind: str = Field("", max_length=100, description="A media type.")
    source: UUID | None = None
    age: Literal["", "7", "30", "-90", "-365"] = Field(
        "", description="Added in the last days; negative: before that many days."
    )
    order: Literal["", "oldest", "updated", "title", "size"] = Field(
        "", description="Newest first without it."
    )


class ChunkOut(Schema):
    id: UUID
    position: int
    text: str
    heading_path: list[str]
    start: int = Field(description="Offset into the extracted text, in characters.")
    end: int
    page: int | None
    line: int | None = Field(None, description="Of a program: the line of the file it begins on.")
    head: str = Field("", description="The row that names the columns, for the rows of a table.")
    language: str = Field("", description="Empty where the text does not tell.")

    model_config = example(
        id=ID, position=3, text="Trains are preferred to planes below 600 km.",
        heading_path=["Travel policy", "Means"], start=1204, end=1249, page=2, language="en",
    )  # fmt: skip


class PassageQuery(Schema):
    start: int = Field(ge=0, le=10**9, description="Offset of the quote's first character.")
    end: int = Field(ge=0, le=10**9, description="Offset behind the quote's last character.")
    around: int = Field(400, ge=0, le=5000, description="Characters of context on either side.")

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.start >= self.end:
            raise ValueError("end must be greater than start")
        return self


class PassageTextOut(Schema):
    document_id: UUID
    title: str
    before: str
    quote: str = Field(description="The text from `start` to `end`, byte for byte as indexed.")
    after: str
    start: int
    end: int
    length: int = Field(description="Characters of the whole extracted text.")

    model_config = example(
        document_id=ID, title="Travel policy", before="We travel little. ",
        quote="Trains are preferred to planes below 600 km.", after=" Book early.",
        start=1204, end=1249, length=9120,
    )  # fmt: skip


class BulkIn(WriteSchema):
    action: Action = Field(
        description="`reindex`, `delete`, `restore` (within ten minutes), `exclude` from search, "
        "`include` again, or `move`."
    )
    documents: list[UUID] = Field(
        min_length=1, max_length=MOST, description="Those of other collections do nothing."
    )
    target: UUID | None = Field(None, description="`move`: to this collection, as an editor.")

    model_config = example(action="delete", documents=[ID])


class BulkOut(Schema):
    documents: list[UUID] = Field(description="Those it was done to.")

    model_config = example(documents=[ID])
