from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from knowledge.curation.documents import Wanted
from knowledge.schemas.base import ID, example
from security.schemas import WriteSchema

NAMES = ("list", "q", "status", "kind", "source", "age")
Lists = Literal["", "failed", "stale", "duplicates", "uncited", "excluded"]
Statuses = Literal["", "queued", "running", "ready", "failed", "paused", "active"]
Ages = Literal["", "7", "30", "-90", "-365"]
Q = Field("", max_length=200, description="Part of the title or the file name.")
KIND = Field("", max_length=100, description="A media type.")


class MatchingQuery(WriteSchema):
    """The filters of the list of documents; none of them: all documents of the collection."""

    list: Lists = ""
    q: str = Q
    status: Statuses = ""
    kind: str = KIND
    source: UUID | None = None
    age: Ages = ""


class MatchingIn(WriteSchema):
    action: Literal["reindex", "delete", "exclude", "include", "move"]
    list: Lists = ""
    q: str = Q
    status: Statuses = ""
    kind: str = KIND
    source: UUID | None = Field(None, description="One of the collection's sources.")
    age: Ages = ""
    target: UUID | None = Field(None, description="`move`: to this collection, as an editor.")

    model_config = example(action="delete", list="stale", age="-365")


class MatchingCount(Schema):
    count: int | None = Field(description="Null for `uncited`, which would take too long to count.")

    model_config = example(count=12_345)


class MatchingOut(Schema):
    job_id: UUID = Field(description="Its progress: /jobs/{id}; /jobs/{id}/cancel stops it.")

    model_config = example(job_id=ID)


def to_wanted(given: MatchingQuery | MatchingIn) -> Wanted:
    return Wanted(**{name: getattr(given, name) for name in NAMES})
