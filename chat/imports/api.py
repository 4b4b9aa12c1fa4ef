from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext
from ninja import Field, File, Router, Schema, Status
from ninja.files import UploadedFile

from accounts.access import require_visible
from accounts.callers import CHAT, READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat.imports import services
from chat.models import Import
from chat.schemas import AT, ID, example
from security.rate_limits import Action

router = Router()


class FoundOut(Schema):
    title: str
    messages: int
    known: bool = Field(description="It is here already and will not be brought again.")
    grown: bool = Field(False, description="It is here, and has messages now that are not.")
    source: str = Field(description="`chatgpt`, `claude` or `parley`.")
    at: datetime | None = Field(description="When it was last changed there.")


class FailureOut(Schema):
    title: str
    reason: str

    @staticmethod
    def resolve_reason(row: dict[str, str]) -> str:
        return gettext(row["reason"])


class ImportOut(Schema):
    id: UUID
    file_name: str
    size: int
    state: str = Field(
        description="`reading`, `ready` (to be started), `importing`, `done`, `cancelled` or "
        "`failed`."
    )
    job_id: UUID | None = Field(description="Its progress: /jobs/{id}.")
    conversations: int = Field(description="Readable ones in the file.")
    messages: int
    known: int = Field(description="Those that are here already; after the import, left out.")
    grown: int = Field(
        description="Those that are here with fewer messages; after the import, those that were "
        "added to."
    )
    added: int
    failed: int
    found: list[FoundOut] = Field(description="The first 200 of them.")
    failures: list[FailureOut] = Field(description="The first 100 that cannot be taken.")
    reason: str = Field(description="Why the whole failed; else empty.")
    created_at: datetime
    finished_at: datetime | None

    model_config = example(
        id=ID, file_name="conversations.json", size=48_211, state="ready", job_id=ID,
        conversations=2, messages=14, known=1, grown=0, added=0, failed=0,
        found=[{
            "title": "Travel", "messages": 6, "known": False, "grown": False, "source": "chatgpt",
            "at": AT,
        }],
        failures=[], reason="", created_at=AT, finished_at=None,
    )  # fmt: skip

    @staticmethod
    def resolve_reason(row: Import) -> str:
        return gettext(row.reason) if row.reason else ""


@router.get(
    "/imports", response=list[ImportOut], auth=READ_OR_CHAT, tags=["Imports"],
    summary="List imports", operation_id="list_imports",
)  # fmt: skip
def list_imports(request: HttpRequest) -> Any:
    """Yours, the newest first."""
    return list(Import.objects.visible_to(caller(request))[:50])


@router.post(
    "/imports", response={202: ImportOut}, auth=CHAT, tags=["Imports"],
    summary="Upload an export", operation_id="create_import",
)  # fmt: skip
def create_import(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """`conversations.json` or the ZIP of a ChatGPT or Claude export, or an export of Parley. It is
    looked through first; start it when `state` is `ready`."""
    user = caller(request)
    spend_for(request, Action.UPLOADS)
    return Status(202, services.upload(user, file, file.name or ""))


@router.get(
    "/imports/{uuid:import_id}", response=ImportOut, auth=READ_OR_CHAT, tags=["Imports"],
    summary="Read an import", operation_id="get_import",
)  # fmt: skip
def get_import(request: HttpRequest, import_id: UUID) -> Any:
    return require_visible(Import.objects, caller(request), import_id)


@router.post(
    "/imports/{uuid:import_id}/start", response={202: ImportOut}, auth=CHAT, tags=["Imports"],
    summary="Start an import", operation_id="start_import",
)  # fmt: skip
def start_import(request: HttpRequest, import_id: UUID) -> Any:
    """What is here already is left out, so that importing twice doubles nothing. New messages of
    conversations that were imported before are added to those; where you have gone on in one
    here, what you see of it stays as it is, and they are its other versions."""
    return Status(202, services.start(caller(request), import_id))


@router.delete(
    "/imports/{uuid:import_id}", response={204: None}, auth=CHAT, tags=["Imports"],
    summary="Stop or forget an import", operation_id="delete_import",
)  # fmt: skip
def delete_import(request: HttpRequest, import_id: UUID) -> Any:
    """One that runs is asked to stop, another one forgotten. Conversations that were brought in
    stay."""
    services.discard(caller(request), import_id)
    return Status(204, None)
