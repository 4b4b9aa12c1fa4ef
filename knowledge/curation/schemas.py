"""What the JSON API says and accepts about editing passages."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints, model_validator

from knowledge.curation.editing import LONGEST
from knowledge.curation.requests import Asked
from knowledge.schemas import AT, ID, example
from security.schemas import PageQuery, WriteSchema

Kind = Literal["split", "merge", "exclude", "correct", "add"]


class EditIn(WriteSchema):
    """`passage` is the id of a passage as `list_curated_passages` gives it: it changes with every
    edit, so that nobody overwrites what they have not seen."""

    kind: Kind
    passage: UUID | None = Field(None, description="Which one; `add` may leave it out: the first.")
    next: UUID | None = Field(None, description="`merge`: the passage behind it.")
    at: int | None = Field(
        None, ge=0, le=10**6, description="`split`: where in its text the second part begins."
    )
    text: Annotated[str, StringConstraints(max_length=LONGEST)] = Field(
        "", description="`correct` and `add`: what it says from now on."
    )

    model_config = example(kind="correct", passage=ID, text="Trains are preferred to planes.")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.kind != "add" and self.passage is None:
            raise ValueError("passage is needed")
        return self

    def to_asked(self) -> Asked:
        return Asked(self.kind, self.passage, self.next, self.at, self.text)


class EditOut(Schema):
    id: UUID
    document_id: UUID
    kind: Kind
    state: Literal["applied", "lost", "undone"] = Field(
        description="`lost`: its words are not in the document any more; tried again at indexing."
    )
    quote: str = Field(description="The first words of the file that it concerns, if any.")
    text: str = Field(description="Words of the curator.")
    made_by: str | None = Field(description="Their name; null: somebody who left.")
    made_at: datetime
    undone_at: datetime | None

    model_config = example(
        id=ID, document_id=ID, kind="correct", state="applied", quote="Trains are prefered.",
        text="Trains are preferred.", made_by="Alice", made_at=AT, undone_at=None,
    )  # fmt: skip

    @staticmethod
    def resolve_made_by(edit: object) -> str | None:
        person = getattr(edit, "made_by", None)
        return person.get_short_name() if person else None


class EditQuery(PageQuery):
    state: Literal["applied", "lost", "undone"] | None = None


class CuratedQuery(Schema):
    first: int = Field(0, ge=0, le=10**9, description="Position of the first one.")
    limit: int = Field(50, ge=1, le=100)


class CuratedOut(Schema):
    id: UUID
    position: int
    text: str
    heading_path: list[str]
    start: int
    end: int
    page: int | None
    tokens: int = Field(description="Word pieces, as the embedded model counts them.")
    is_long: bool = Field(description="Longer than that model reads: the end is found by words.")
    cited: int = Field(description="In how many answers; temporary conversations do not count.")
    context: str = Field(description="A model's words, by which it is found too; never quoted.")
    edit: EditOut | None = Field(description="What made it as it is; null: as it was split.")


class CuratedPage(Schema):
    items: list[CuratedOut]
    next: int | None = Field(description="`first` of the next request; null: that was all.")

    model_config = example(
        items=[
            {
                "id": ID, "position": 0, "text": "Trains are preferred to planes.",
                "heading_path": ["Travel"], "start": 91, "end": 122, "page": 2, "tokens": 7,
                "is_long": False, "cited": 37, "context": "", "edit": None,
            }
        ],
        next=None,
    )  # fmt: skip
