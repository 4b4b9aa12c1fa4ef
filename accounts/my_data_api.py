from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts import leaving, takeouts
from accounts.callers import ACCOUNT, caller
from accounts.limits import spend_for
from accounts.passwords import confirm_password
from security.downloads import Download
from security.rate_limits import Action
from security.schemas import WriteSchema

router = Router(tags=["My data"])
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
ZIP = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


class TakeoutOut(Schema):
    id: UUID = Field(validation_alias="takeout.id")
    status: str = Field(description="`running`, `ready` or `failed`.")
    job_id: UUID | None = Field(validation_alias="takeout.job_id", description="Its progress.")
    size: int | None = Field(validation_alias="takeout.size", description="Bytes, once ready.")
    created_at: datetime = Field(validation_alias="takeout.created_at")
    expires_at: datetime = Field(validation_alias="takeout.expires_at")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": ID, "status": "ready", "job_id": ID, "size": 48_213, "created_at": AT,
                 "expires_at": "2026-11-24T09:30:00Z"}
            ]
        }
    )  # fmt: skip


class DeletionIn(WriteSchema):
    password: str = Field(min_length=1, max_length=1000, description="Yours, once more.")
    when: Literal["now", "later"] = Field(description="`later`: in 14 days; sign in to keep it.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "…", "when": "later"}]})


@router.get(
    "/me/exports", response=list[TakeoutOut], auth=ACCOUNT, summary="List your data exports",
    operation_id="list_exports",
)  # fmt: skip
def list_exports(request: HttpRequest) -> Any:
    """Those that have not expired."""
    return takeouts.list_takeouts(caller(request))


@router.post(
    "/me/exports", response={202: TakeoutOut}, auth=ACCOUNT, summary="Export my data",
    operation_id="create_export",
)  # fmt: skip
def create_export(request: HttpRequest) -> Any:
    """A job makes one ZIP of all that is yours; one at a time."""
    spend_for(request, Action.EXPORTS)
    return Status(202, takeouts.request_takeout(caller(request)))


@router.get(
    "/me/exports/{uuid:export_id}/file", auth=ACCOUNT, summary="Download a data export",
    operation_id="download_export", openapi_extra=ZIP,
)  # fmt: skip
def download_export(request: HttpRequest, export_id: UUID) -> Download:
    """The ZIP, for you alone, until it expires."""
    path = takeouts.find_file(caller(request), export_id)
    return Download(path, f"parley-{timezone.localdate()}.zip", "application/zip")


@router.delete(
    "/me/exports/{uuid:export_id}", response={204: None}, auth=ACCOUNT,
    summary="Delete a data export", operation_id="delete_export",
)  # fmt: skip
def delete_export(request: HttpRequest, export_id: UUID) -> Any:
    """One that is being made is stopped."""
    takeouts.remove_takeout(caller(request), export_id)
    return Status(204, None)


@router.post(
    "/me/deletion", response={204: None}, auth=ACCOUNT, summary="Delete your account",
    operation_id="delete_account",
)  # fmt: skip
def delete_account(request: HttpRequest, body: DeletionIn) -> Any:
    """With all that is yours. Sessions and tokens end at once, also with `later`."""
    user = caller(request)
    confirm_password(request, body.password)
    (leaving.leave_now if body.when == "now" else leaving.leave_later)(user)
    return Status(204, None)


@router.delete(
    "/me/deletion", response={204: None}, auth=ACCOUNT, summary="Keep your account",
    operation_id="keep_account",
)  # fmt: skip
def keep_account(request: HttpRequest) -> Any:
    """Withdraws a deletion that is still to come."""
    leaving.keep_account(caller(request))
    return Status(204, None)
