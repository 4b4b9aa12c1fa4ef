"""A person's picture: made and removed by themselves, seen by everybody who has an account."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from accounts import portraits
from accounts.callers import ANY, WRITE, caller
from accounts.limits import spend_for
from security.downloads import Image
from security.rate_limits import Action

router = Router(tags=["Account"])

PIXELS = {"schema": {"type": "string", "format": "binary"}}
SHOWN = {"responses": {200: {"description": "A JPEG.", "content": {portraits.MEDIA_TYPE: PIXELS}}}}
SENT = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the picture, as `curl -T me.png` sends them.",
        "content": dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp"), PIXELS),
    }
}


@router.get(
    "/people/{uuid:user_id}/picture", auth=ANY, openapi_extra=SHOWN,
    summary="Show a person's picture", operation_id="show_picture",
)  # fmt: skip
def show_picture(request: HttpRequest, user_id: UUID) -> HttpResponse:  # noqa: ARG001 - Ninja wants it
    """Square and small; 404 for a person who has none."""
    response = Image(portraits.find_portrait(user_id), portraits.MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@router.put(
    "/me/picture", response={204: None}, auth=WRITE, openapi_extra=SENT,
    summary="Change your picture", operation_id="set_picture",
)  # fmt: skip
def set_picture(request: HttpRequest) -> Any:
    """At most 10 MB. It is drawn anew, square and small; nothing else of the file is kept."""
    spend_for(request, Action.UPLOADS)
    portraits.set_portrait(caller(request), request)
    return Status(204, None)


@router.delete(
    "/me/picture", response={204: None}, auth=WRITE, summary="Remove your picture",
    operation_id="remove_picture",
)  # fmt: skip
def remove_picture(request: HttpRequest) -> Any:
    """Your initials stand for you then, also where there was none."""
    portraits.remove_portrait(caller(request))
    return Status(204, None)
