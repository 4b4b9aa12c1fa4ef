"""Searches, as oneself or as somebody else, and what they find."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field, StringConstraints

from knowledge.retrieval.types import Filters
from knowledge.schemas.base import ID, example
from knowledge.schemas.documents import DocumentOut
from security.schemas import PageOf, PageQuery, WriteSchema

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class SearchIn(WriteSchema):
    query: Words
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
    sources: list[UUID] | None = Field(
        None,
        max_length=100,
        description="Only documents that came from these sources, which you look after.",
    )
    documents: list[UUID] | None = Field(
        None, max_length=1_000, description="Only these documents, all of which you may see."
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
            documents=None if self.documents is None else tuple(self.documents),
            sources=None if self.sources is None else tuple(self.sources),
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
    query: Words
    as_: str = Field("nobody", alias="as", max_length=36, description="As for what they see.")
    limit: int = Field(10, ge=1, le=50)

    model_config = {**example(**{"query": "leave", "as": ID}), "populate_by_name": True}
