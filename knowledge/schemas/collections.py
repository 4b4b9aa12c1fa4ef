"""Collections, and who sees them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints

from gateway.labels import LABEL, MOST_LABELS
from knowledge.schemas.base import AT, ID, Description, Name, example
from knowledge.switches import Switch
from security.schemas import WriteSchema

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
        "or null for as usual. A no of the agent or of a collection counts most. Collections are "
        "heard where they are named to be searched; where everything is, the agent alone is."
    ),
]


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
    force: bool = Field(
        False, description="Although golden questions lose by `understanding`; it is logged."
    )

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
    passage_count: int
    bytes: int = Field(description="Of the files; GET …/search-index says what all takes.")
    in_work_count: int = Field(description="Documents that wait or are being indexed.")
    failed_count: int = Field(description="Documents that could not be indexed.")
    troubled_source_count: int = Field(
        description="Sources that are not in step, for those who look after them; else 0."
    )
    changed_at: datetime = Field(description="When a document in it changed last.")
    created_at: datetime
    updated_at: datetime

    model_config = example(
        id=ID, name="Handbook", description="How we work.", role="owner", required_labels=[],
        understanding={}, document_count=12, passage_count=480, bytes=1_204_113, in_work_count=0,
        failed_count=1, troubled_source_count=0, changed_at=AT, created_at=AT, updated_at=AT,
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


class CanaryIn(WriteSchema):
    is_planted: bool = Field(description="Planted again it is another one.")

    model_config = example(is_planted=True)


class CanaryOut(Schema):
    planted_at: datetime | None

    model_config = example(planted_at=AT)
