"""What programs send and get about versions and orders; each with an example."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema

from knowledge.bulk import MOST
from knowledge.control import Order
from knowledge.schemas import AT, ID, example
from security.schemas import WriteSchema


class DocumentVersionOut(Schema):
    number: int
    state: str = Field(description="`current`, `waiting`, `past` or `failed`.")
    reason: str = Field(description="Why it failed, in plain words; else empty.")
    file_name: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    note: str = Field(description="What its source says of it: a commit, a date.")
    source: str = Field(description="The source that brought it; empty: somebody uploaded it.")
    added_by: str
    made_at: datetime
    ended_at: datetime | None = Field(description="Since when it is not searched any more.")
    has_text: bool

    model_config = example(
        number=2, state="current", reason="", file_name="travel.pdf",
        media_type="application/pdf", size=184_213, sha256="9f86d0…", note="", source="",
        added_by="Alice", made_at=AT, ended_at=None, has_text=True,
    )  # fmt: skip


class DocumentVersionTextOut(Schema):
    number: int
    state: str
    text: str

    model_config = example(number=1, state="past", text="Trains are preferred to planes.")


class PutOut(Schema):
    id: UUID
    outcome: str = Field(
        description="`changed`; `unchanged`: it has these bytes already; `duplicate`: `id` is "
        "another document of the collection that has them."
    )
    status: str

    model_config = example(id=ID, outcome="changed", status="queued")


class OrderIn(WriteSchema):
    order: Order = Field(
        description="`pause`, `resume`, `cancel`, `first` (before all others), `refresh` (index "
        "what is out of date) or `rebuild` (index everything again)."
    )
    documents: list[UUID] | None = Field(
        None, min_length=1, max_length=MOST, description="Null: the whole collection."
    )

    model_config = example(order="pause", documents=None)


class OrderedOut(Schema):
    documents: int = Field(description="How many it concerned.")

    model_config = example(documents=12)


class ProblemOut(Schema):
    document_id: UUID
    title: str
    reason: str

    model_config = example(document_id=ID, title="Scan", reason="It needs OCR.")


class IndexingOut(Schema):
    waiting: int
    running: int
    done: int
    failed: int
    paused: int
    is_paused: bool = Field(description="The whole collection is.")
    documents_per_minute: float | None
    seconds_left: int | None = Field(description="A guess; null while there is none.")
    problems: list[ProblemOut] = Field(description="The latest failures, at most five.")

    model_config = example(
        waiting=120, running=2, done=380, failed=1, paused=0, is_paused=False,
        documents_per_minute=84.0, seconds_left=87,
        problems=[{"document_id": ID, "title": "Scan", "reason": "It needs OCR."}],
    )  # fmt: skip
