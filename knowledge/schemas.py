"""What the JSON API says and accepts about knowledge."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from gateway.labels import LABEL, MOST_LABELS
from knowledge.bulk import MOST, Action
from knowledge.retrieval.types import Filters
from knowledge.switches import Switch
from security.schemas import PageOf, PageQuery, WriteSchema

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"


Label = Annotated[str, StringConstraints(pattern=LABEL)]
RequiredLabels = Annotated[
    list[Label],
    Field(
        max_length=MOST_LABELS,
        description="Only endpoints that have them all may be shown what is in it. Owners only.",
    ),
]


Understanding = Annotated[
    dict[Switch, bool | None],
    Field(
        description="Ways to understand a question that is searched in this collection: yes, no, "
        "or null for as usual. A no of the agent or of a collection counts most."
    ),
]


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class CollectionIn(WriteSchema):
    name: Name
    description: Description = ""

    model_config = example(name="Handbook", description="How we work.")


class CollectionPatch(WriteSchema):
    """What is missing or null stays as it is."""

    name: Name | None = None
    description: Description | None = None
    required_labels: RequiredLabels | None = None
    understanding: Understanding | None = None

    model_config = example(
        name="Handbook 2026", required_labels=["eu"], understanding={"filters": True}
    )


class CollectionOut(Schema):
    id: UUID
    name: str
    description: str
    role: str = Field(description="Yours: `owner`, `editor` or `reader`.")
    required_labels: list[str] = Field(
        description="Only endpoints that have them all are shown what is in it."
    )
    understanding: dict[str, bool] = Field(
        description="What it says of the ways to understand a question."
    )
    document_count: int
    created_at: datetime
    updated_at: datetime

    model_config = example(
        id=ID, name="Handbook", description="How we work.", role="owner", required_labels=[],
        understanding={}, document_count=12,
        created_at=AT, updated_at=AT,
    )  # fmt: skip


class ViewerOut(Schema):
    id: UUID
    name: str
    email: str
    role: str = Field(description="The strongest they have: `owner`, `editor` or `reader`.")
    is_maker: bool = Field(description="The collection is theirs.")
    is_direct: bool = Field(description="It is shared with them by name.")
    teams: list[str] = Field(description="Names of teams through which they have access.")

    model_config = example(
        id=ID, name="Bob", email="bob@example.org", role="reader", is_maker=False, is_direct=False,
        teams=["Board"],
    )  # fmt: skip

    @staticmethod
    def resolve_id(viewer: Any) -> UUID:
        found: UUID = viewer.person.pk
        return found

    @staticmethod
    def resolve_name(viewer: Any) -> str:
        return str(viewer.person)

    @staticmethod
    def resolve_email(viewer: Any) -> str:
        return str(viewer.person.email)


class AccessOut(Schema):
    people: list[ViewerOut]
    everyone: str = Field(description="The role of every active account; empty for none.")
    is_cut: bool = Field(description="More people have access than are listed.")

    model_config = example(
        people=[
            {"id": ID, "name": "Alice", "email": "alice@example.org", "role": "owner",
             "is_maker": True, "is_direct": False, "teams": []}
        ],
        everyone="reader", is_cut=False,
    )  # fmt: skip


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


class DocumentOut(Schema):
    id: UUID
    collection_id: UUID
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
    created_at: datetime
    updated_at: datetime

    model_config = example(
        id=ID, collection_id=ID, title="Travel policy", file_name="travel.pdf",
        media_type="application/pdf", size=184_213, sha256="9f86d0…", status="running", reason="",
        language="en", page_count=4, chunk_count=0, version_number=1, job_id=ID,
        stages=[{"name": "embed", "status": "running", "done": 8, "total": 31, "reason": ""}],
        created_at=AT, updated_at=AT,
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


class SeenQuery(PageQuery):
    as_: str = Field(
        "nobody",
        alias="as",
        max_length=36,
        description="The id of one of /collections/{id}/viewers, or `nobody`: not signed in.",
    )


class SeenOut(Schema):
    role: str = Field(description="`owner`, `editor` or `reader`; empty: they see nothing of it.")
    documents: PageOf[DocumentOut]

    model_config = example(role="reader", documents={"items": [], "next": None})


class SearchAsIn(WriteSchema):
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    as_: str = Field("nobody", alias="as", max_length=36, description="As for what they see.")
    limit: int = Field(10, ge=1, le=50)

    model_config = {**example(**{"query": "leave", "as": ID}), "populate_by_name": True}


class DocumentQuery(PageQuery):
    collection: UUID | None = Field(None, description="Only documents of this collection.")
    list: Literal["", "failed", "stale", "duplicates", "uncited", "excluded"] = Field(
        "",
        description="`stale`: not renewed for `PARLEY_STALE_DAYS`; `duplicates`: the same text as "
        "another one, or nearly; `uncited`: only of those that you may edit.",
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


class SearchIn(WriteSchema):
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    collections: list[UUID] | None = Field(
        None, max_length=100, description="Only these; null: every collection you may see."
    )
    limit: int = Field(10, ge=1, le=50)
    file_types: list[Annotated[str, StringConstraints(max_length=40)]] | None = Field(
        None, max_length=50, description="Only documents of these: pdf, docx, markdown, code, …"
    )
    languages: list[Annotated[str, StringConstraints(max_length=20)]] | None = Field(
        None, max_length=50, description="Only these: en, zh (either script), zh-hant, …"
    )
    since: AwareDatetime | None = Field(None, description="Only what came or changed since.")
    until: AwareDatetime | None = Field(None, description="Only what came or changed before.")
    only_alike: bool = Field(
        False, description="Nothing, rather than passages that do not resemble the query."
    )

    model_config = example(
        query="May I fly to Munich?", collections=[ID], limit=5, file_types=["pdf"]
    )

    @property
    def filters(self) -> Filters:
        return Filters(
            file_types=None if self.file_types is None else tuple(self.file_types),
            languages=None if self.languages is None else tuple(self.languages),
            from_=self.since,
            until=self.until,
        )


class FoundPassage(Schema):
    chunk_id: UUID
    document_id: UUID
    collection_id: UUID
    title: str
    heading_path: list[str]
    text: str
    start: int
    end: int
    page: int | None
    line: int | None = Field(None, description="Of a program: the line of the file it begins on.")
    head: str = Field("", description="The row that names the columns, for the rows of a table.")
    score: float
    ranks: dict[str, Any] = Field(description="Why it was found: rank and score of each leg.")


class SearchOut(Schema):
    passages: list[FoundPassage]
    took_ms: float

    model_config = example(
        passages=[
            {
                "chunk_id": ID, "document_id": ID, "collection_id": ID, "title": "Travel policy",
                "heading_path": ["Travel policy", "Means"],
                "text": "Trains are preferred to planes below 600 km.",
                "start": 1204, "end": 1249, "page": 2, "score": 0.91,
                "ranks": {
                    "lexical": {"rank": 1, "score": 7.2}, "dense": {"rank": 2, "score": 0.61},
                    "weight": 0.5,
                },
            }
        ],
        took_ms=6.4,
    )  # fmt: skip
