from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.callers import ACCOUNT, CHAT, READ_OR_CHAT, caller
from agents.approvals import services
from agents.approvals.models import Approval
from security.paging import paginate
from security.reading import reading_as
from security.schemas import PageOf, PageQuery, WriteSchema

router = Router(tags=["Approvals"])
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-22T09:30:00Z"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SHOWN: Any = {
    "id": ID, "kind": "call", "run_id": ID, "call_id": "call_1", "conversation_id": ID,
    "agent_id": ID, "tool": "send_mail", "title": "Send mail", "server": "",
    "arguments": '{"to":"bob@example.org"}', "digest": DIGEST, "effect": "sends",
    "reason": "It talks to somebody outside.", "scopes": ["once", "conversation", "always"],
    "status": "waiting", "scope": "once", "created_at": AT, "expires_at": AT, "decided_at": None,
}  # fmt: skip


class ApprovalOut(Schema):
    id: UUID
    kind: str = Field(
        description="`call`; or `sign_in`: it waits until you connected your account at `server`, "
        "and approving it means to try again."
    )
    run_id: UUID = Field(description="In a conversation: the turn.")
    call_id: str
    conversation_id: UUID | None
    agent_id: UUID | None
    tool: str
    title: str
    server: str = Field(description="Whose tool it is; empty: of this installation.")
    arguments: str = Field(description="JSON, exactly as the tool would be given it.")
    digest: str = Field(description="SHA-256 of the call; a decision names it.")
    effect: str = Field(description="`none`, `reads`, `changes` or `sends`.")
    reason: str = Field(description="Why you are asked.")
    scopes: list[str] = Field(description="For how long you may allow such calls.")
    status: str = Field(description="`waiting`, `approved`, `denied`, `expired` or `used`.")
    scope: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})


class DecisionIn(WriteSchema):
    decision: Literal["approve", "deny"]
    digest: str = Field(
        min_length=64, max_length=64, description="Of the call that you were shown."
    )
    scope: Literal["once", "conversation", "always"] = "once"

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decision": "approve", "digest": DIGEST, "scope": "once"}]}
    )


class ToolPermissionOut(Schema):
    id: UUID
    agent_id: UUID | None
    tool: str
    title: str
    server: str
    conversation_id: UUID | None = Field(description="Null: in every conversation.")
    created_at: datetime

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": ID,
                    "agent_id": ID,
                    "tool": "send_mail",
                    "title": "Send mail",
                    "server": "",
                    "conversation_id": None,
                    "created_at": AT,
                }
            ]
        }
    )


class ApprovalQuery(PageQuery):
    status: Literal["", "waiting", "approved", "denied", "expired", "used"] = ""


@router.get(
    "/approvals", response=PageOf[ApprovalOut], auth=READ_OR_CHAT, summary="List approvals",
    operation_id="list_approvals",
)  # fmt: skip
def list_approvals(request: HttpRequest, page: Query[ApprovalQuery]) -> Any:
    """Calls of tools that you were asked about; nobody else can read or answer them."""
    user = caller(request)
    with reading_as(user):
        rows = Approval.objects.visible_to(user)
        if page.status:
            rows = rows.filter(status=page.status)
        return paginate(rows, ["-id"], page.cursor, page.limit)


@router.get(
    "/approvals/{uuid:approval_id}", response=ApprovalOut, auth=READ_OR_CHAT,
    summary="Read an approval", operation_id="get_approval",
)  # fmt: skip
def get_approval(request: HttpRequest, approval_id: UUID) -> Any:
    return services.find_approval(caller(request), approval_id)


@router.post(
    "/approvals/{uuid:approval_id}/decision", response=ApprovalOut, auth=ACCOUNT,
    summary="Decide about a call", operation_id="decide_approval",
)  # fmt: skip
def decide_approval(request: HttpRequest, approval_id: UUID, body: DecisionIn) -> Any:
    """For yourself, in a browser or with a token that is not narrowed: a program that only chats
    for you cannot approve what it wants to do. Once decided, it stays."""
    user = caller(request)
    return services.decide(user, approval_id, body.decision, body.digest, body.scope)


@router.get(
    "/tool-permissions", response=PageOf[ToolPermissionOut], auth=READ_OR_CHAT,
    summary="List permissions of tools", operation_id="list_tool_permissions",
)  # fmt: skip
def list_tool_permissions(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """What you allowed for a conversation, or always."""
    user = caller(request)
    with reading_as(user):
        return paginate(services.list_permissions(user), ["-id"], page.cursor, page.limit)


@router.delete(
    "/tool-permissions/{uuid:permission_id}", response={204: None}, auth=CHAT,
    summary="Take back a permission", operation_id="revoke_tool_permission",
)  # fmt: skip
def revoke_tool_permission(request: HttpRequest, permission_id: UUID) -> Any:
    """From now on you are asked again."""
    services.revoke_permission(caller(request), permission_id)
    return Status(204, None)
