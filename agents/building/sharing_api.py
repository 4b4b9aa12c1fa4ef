"""Who may use and change an agent, for its owners."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from accounts.access import require_owned
from accounts.callers import READ, WRITE, caller
from agents.building import sharing
from agents.building.schemas import ID, example
from agents.models import Agent
from security.schemas import WriteSchema

router = Router(tags=["Agents"])
GRANTS = "/agents/{uuid:agent_id}/grants"


class AgentGrantIn(WriteSchema):
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] | None = None
    team: UUID | None = Field(None, description="One of the two.")
    role: Literal["reader", "editor", "owner"]

    model_config = example(email="bob@example.org", role="reader")


class AgentGrantOut(Schema):
    id: UUID
    name: str
    email: str | None = Field(description="Of a person; none for a team.")
    team: UUID | None = Field(validation_alias="team_id")
    role: str

    model_config = example(id=ID, name="Bob", email="bob@example.org", team=None, role="reader")

    @staticmethod
    def resolve_name(row: Any) -> str:
        return str(row.team.name if row.team else row.user.get_short_name())

    @staticmethod
    def resolve_email(row: Any) -> str | None:
        return row.user.email if row.user else None


@router.get(
    GRANTS, response=list[AgentGrantOut], auth=READ, summary="List who may use an agent",
    operation_id="list_agent_grants",
)  # fmt: skip
def list_agent_grants(request: HttpRequest, agent_id: UUID) -> Any:
    """Besides whoever made it. Needs the role owner, like the rest."""
    return list(sharing.list_grants(require_owned(Agent.objects, caller(request), agent_id)))


@router.put(
    GRANTS, response=AgentGrantOut, auth=WRITE, summary="Share an agent",
    operation_id="give_agent_grant",
)  # fmt: skip
def give_agent_grant(request: HttpRequest, agent_id: UUID, body: AgentGrantIn) -> Any:
    """With a person or a team; replaces the role they had."""
    return sharing.give(caller(request), agent_id, body.email, body.team, body.role)


@router.delete(
    f"{GRANTS}/{{uuid:grant_id}}", response={204: None}, auth=WRITE,
    summary="Take access to an agent away", operation_id="take_agent_grant",
)  # fmt: skip
def take_agent_grant(request: HttpRequest, agent_id: UUID, grant_id: UUID) -> Any:
    sharing.take(caller(request), agent_id, grant_id)
    return Status(204, None)
