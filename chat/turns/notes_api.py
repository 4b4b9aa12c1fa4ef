"""What the person says to an answer that is being written."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import Field, StringConstraints

from accounts.callers import CHAT, READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat.schemas import AT, ID, example
from chat.turns import noting
from security.rate_limits import Action
from security.schemas import WriteSchema

router = Router(tags=["Turns"])
Key = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,190}$")]
NOTE = {
    "id": ID, "text": "Look also at the contracts of last year.", "status": "taken",
    "asked_as": None, "created_at": AT,
}  # fmt: skip


class NoteIn(WriteSchema):
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=noting.MAX_NOTE)
    ]

    model_config = example(text=NOTE["text"])


class NoteOut(Schema):
    id: UUID
    text: str
    status: str = Field(
        description="`waiting`, `taken` (the agent knows it), `asked` (it was asked as the next "
        "question: `asked_as`) or `left` (the answer was stopped before, or it may not be asked)."
    )
    asked_as: UUID | None = Field(description="The turn that asks it.")
    created_at: datetime

    model_config = example(**NOTE)

    @staticmethod
    def resolve_status(row: Any) -> str:
        fate: str = getattr(row, "fate", "waiting")
        return fate

    @staticmethod
    def resolve_asked_as(row: Any) -> UUID | None:
        asked_as: UUID | None = row.asked_as
        return None if asked_as == row.run_id else asked_as


@router.post(
    "/turns/{uuid:turn_id}/notes", response={202: NoteOut}, auth=CHAT,
    summary="Say something to an answer", operation_id="steer_turn",
)  # fmt: skip
def steer_turn(
    request: HttpRequest,
    turn_id: UUID,
    body: NoteIn,
    idempotency_key: Annotated[Key | None, Header(None, alias="Idempotency-Key")] = None,
) -> Any:
    """While it is being written, for the person who asked. An agent with tools takes it up at its
    next step; what nobody takes up is asked as the next question, unless the answer is stopped.

    The same `Idempotency-Key` again gives the same note.
    """
    user = caller(request)
    spend_for(request, Action.TURNS)
    key = None if idempotency_key is None else f"api:{idempotency_key}"
    return Status(202, noting.say(user, turn_id, body.text, key))


@router.get(
    "/turns/{uuid:turn_id}/notes", response=list[NoteOut], auth=READ_OR_CHAT,
    summary="List what was said to an answer", operation_id="list_notes",
)  # fmt: skip
def list_notes(request: HttpRequest, turn_id: UUID) -> Any:
    """For the person who asked, the oldest first."""
    return noting.notes_of(caller(request), turn_id)
