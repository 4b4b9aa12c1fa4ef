from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from accounts.callers import CHAT, READ_OR_CHAT, caller
from agents.memory import services
from agents.memory.models import LONGEST, Memory
from security.paging import paginate
from security.reading import reading_as
from security.schemas import PageOf, PageQuery, WriteSchema

router = Router(tags=["Memory"])
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
WORDS = "I work in the Munich office"


class MemoryIn(WriteSchema):
    text: Text = Field(description="One thing about you, in one line.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": WORDS}]})


class MemoryMode(WriteSchema):
    mode: Literal["off", "asked", "noticed"] = Field(
        description="`asked`: what you ask to be remembered. `noticed`: also what you mention."
    )

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "asked"}]})


class MemoryOut(Schema):
    id: UUID
    text: str
    origin: str = Field(description="`written` by you in settings, `asked` for, or `noticed`.")
    created_at: datetime
    updated_at: datetime

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": ID, "text": WORDS, "origin": "asked", "created_at": AT, "updated_at": AT}
            ]
        }
    )


@router.get(
    "/memories", response=PageOf[MemoryOut], auth=READ_OR_CHAT, summary="List memories",
    operation_id="list_memories",
)  # fmt: skip
def list_memories(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """What is remembered about you; nobody else can read it."""
    user = caller(request)
    with reading_as(user):
        return paginate(Memory.objects.visible_to(user), ["-id"], page.cursor, page.limit)


@router.post(
    "/memories", response={201: MemoryOut}, auth=CHAT, summary="Add a memory",
    operation_id="create_memory",
)  # fmt: skip
def create_memory(request: HttpRequest, body: MemoryIn) -> Any:
    """Used in answers while memory is switched on."""
    return Status(201, services.add_memory(caller(request), body.text))


@router.put(
    "/memories/mode", response={204: None}, auth=CHAT, summary="Switch memory",
    operation_id="choose_memory_mode",
)  # fmt: skip
def choose_memory_mode(request: HttpRequest, body: MemoryMode) -> Any:
    """Switched off, nothing is used or saved; what is remembered already is kept."""
    services.choose_mode(caller(request), body.mode)
    return Status(204, None)


@router.patch(
    "/memories/{uuid:memory_id}", response=MemoryOut, auth=CHAT, summary="Change a memory",
    operation_id="update_memory",
)  # fmt: skip
def update_memory(request: HttpRequest, memory_id: UUID, body: MemoryIn) -> Any:
    return services.change_memory(caller(request), memory_id, body.text)


@router.delete(
    "/memories/{uuid:memory_id}", response={204: None}, auth=CHAT, summary="Delete a memory",
    operation_id="delete_memory",
)  # fmt: skip
def delete_memory(request: HttpRequest, memory_id: UUID) -> Any:
    services.forget_memory(caller(request), memory_id)
    return Status(204, None)


@router.delete(
    "/memories", response={204: None}, auth=CHAT, summary="Forget everything",
    operation_id="delete_memories",
)  # fmt: skip
def delete_memories(request: HttpRequest) -> Any:
    """All that is remembered about you."""
    services.forget_everything(caller(request))
    return Status(204, None)
