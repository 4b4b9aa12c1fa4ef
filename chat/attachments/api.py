"""Files for questions: uploaded first, named by the question that carries them."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Schema, Status, UploadedFile
from pydantic import Field

from accounts.callers import CHAT, READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat.attachments import services as attachments
from chat.schemas import ID, example
from knowledge import shelves
from knowledge.models import Document
from knowledge.pictures import find_picture
from knowledge.storage import path_of
from security import audit
from security.acts import Act
from security.downloads import Download, Image
from security.rate_limits import Action

router = Router()


def binary(description: str, *types: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string"}} for media_type in types}
    return {"responses": {200: {"description": description, "content": content}}}


class AttachmentOut(Schema):
    id: UUID
    name: str
    kind: str = Field(description="`document` or `image`.")
    media_type: str = Field(description="What it is stored as; images are drawn anew.")
    size: int = Field(description="Bytes.")
    status: str = Field(description="`queued`, `running`, `ready` or `failed`: it is being read.")
    reason: str = Field(description="Why it could not be read, in plain words; else empty.")
    width: int | None = Field(description="Of an image that is ready, in pixels.")
    height: int | None

    model_config = example(
        id=ID, name="offer.pdf", kind="document", media_type="application/pdf", size=48_213,
        status="ready", reason="", width=None, height=None,
    )  # fmt: skip


@router.post(
    "/attachments", response={202: AttachmentOut}, auth=CHAT, tags=["Attachments"],
    summary="Upload an attachment", operation_id="upload_attachment",
)  # fmt: skip
def upload_attachment(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """An image, a document, or a file of text, as multipart field `file`; only you see it.

    The answer comes before it is read; a question may be asked at once. Name it in `attachments` of
    a turn within three days, or it is removed.
    """
    spend_for(request, Action.UPLOADS)
    made = shelves.attach(caller(request), file, file.name or "", file.content_type or "")
    return Status(202, attachments.describe(made))


@router.get(
    "/attachments/{uuid:attachment_id}", response=AttachmentOut, auth=READ_OR_CHAT,
    tags=["Attachments"], summary="Read an attachment's state", operation_id="get_attachment",
)  # fmt: skip
def get_attachment(request: HttpRequest, attachment_id: UUID) -> Any:
    """Yours until it is sent, then of whoever may see the conversation."""
    return attachments.find(caller(request), attachment_id)


@router.delete(
    "/attachments/{uuid:attachment_id}", response={204: None}, auth=CHAT, tags=["Attachments"],
    summary="Delete an attachment", operation_id="delete_attachment",
)  # fmt: skip
def delete_attachment(request: HttpRequest, attachment_id: UUID) -> Any:
    """Before it is sent: you. After that: the owner of the conversation, for everyone."""
    attachments.remove(caller(request), attachment_id)
    return Status(204, None)


@router.get(
    "/attachments/{uuid:attachment_id}/file", auth=READ_OR_CHAT, tags=["Attachments"],
    openapi_extra=binary("The file, always as an attachment.", "application/octet-stream"),
    summary="Download an attachment", operation_id="download_attachment",
)  # fmt: skip
def download_attachment(request: HttpRequest, attachment_id: UUID) -> Download:
    found = attachments.find(caller(request), attachment_id)
    audit.record(Act.FILE_DOWNLOADED, Document(pk=found.id, title=found.name), size=found.size)
    return Download(path_of(found.id), found.name, found.media_type)


@router.get(
    "/attachments/{uuid:attachment_id}/image", auth=READ_OR_CHAT, tags=["Attachments"],
    openapi_extra=binary("The image, drawn anew from its pixels.", "image/png", "image/jpeg"),
    summary="Show an attached image", operation_id="show_attachment",
)  # fmt: skip
def show_attachment(
    request: HttpRequest, attachment_id: UUID, size: Literal["large", "small"] = "large"
) -> HttpResponse:
    """At most 1536 pixels wide and high, or 512 when `size` is `small`."""
    picture = find_picture(caller(request), attachment_id)
    drawn = picture.small if size == "small" else picture.load()
    return Image(drawn.data, drawn.media_type)
