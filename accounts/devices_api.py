from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts import devices
from accounts.callers import ACCOUNT, caller

router = Router(tags=["Account"])


class SessionOut(Schema):
    id: UUID = Field(validation_alias="device.id")
    browser: str = Field(description="Empty where nobody can tell.")
    system: str
    address: str | None = Field(validation_alias="device.address")
    is_current: bool = Field(description="Whether this request came from it.")
    created_at: datetime = Field(validation_alias="device.created_at")
    seen_at: datetime = Field(
        validation_alias="device.seen_at", description="To about ten minutes."
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d",
                    "browser": "Firefox",
                    "system": "Windows",
                    "address": "192.0.2.17",
                    "is_current": False,
                    "created_at": "2026-11-20T08:00:00Z",
                    "seen_at": "2026-11-21T09:30:00Z",
                }
            ]
        }
    )


@router.get(
    "/me/sessions", response=list[SessionOut], auth=ACCOUNT, summary="List your sessions",
    operation_id="list_sessions",
)  # fmt: skip
def list_sessions(request: HttpRequest) -> Any:
    """The browsers you are signed in with."""
    return devices.list_devices(caller(request), request.session.session_key)


@router.delete(
    "/me/sessions/{uuid:session_id}", response={204: None}, auth=ACCOUNT,
    summary="Sign a browser out", operation_id="delete_session",
)  # fmt: skip
def delete_session(request: HttpRequest, session_id: UUID) -> Any:
    """Its next request is refused, and its sockets are closed within two seconds."""
    devices.sign_out(caller(request), session_id)
    return Status(204, None)


@router.delete(
    "/me/sessions", response={204: None}, auth=ACCOUNT, summary="Sign out everywhere else",
    operation_id="delete_sessions",
)  # fmt: skip
def delete_sessions(request: HttpRequest) -> Any:
    """Every browser but the one that asks; for a token, every browser."""
    devices.sign_out_everywhere(caller(request), keep=request.session.session_key)
    return Status(204, None)
