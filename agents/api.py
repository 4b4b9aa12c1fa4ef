from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.callers import READ_OR_CHAT, WRITE, caller
from agents import selectors
from agents.building import making
from agents.building.schemas import AgentIn
from agents.models import Agent
from security.paging import paginate
from security.schemas import PageOf, PageQuery

router = Router(tags=["Agents"])


class AgentOut(Schema):
    id: UUID
    slug: str
    name: str
    description: str
    model: str = Field(validation_alias="model_name", description="Empty: the default model.")
    role: str = Field(description="Yours: `owner`, `editor` or `reader`.")
    required_labels: list[str] = Field(
        description="Only endpoints that have them all answer its questions."
    )
    reuse: str = Field(
        description="To whom it gives an answer again: `off`, `person` (who asked the same) or "
        "`shared` (everyone who may read the same)."
    )
    understanding: dict[str, bool] = Field(
        description="What it says of the ways to understand a question; the rest is as usual."
    )
    is_builtin: bool
    version: int = Field(description="The published one; 0: none yet.")
    emoji: str
    picture: str | None = Field(description="Where its picture is, if it has one.")
    starters: list[str] = Field(description="Questions that a new chat with it offers.")

    @staticmethod
    def resolve_picture(row: Any) -> str | None:
        return f"/agents/pictures/{row.picture}" if row.picture else None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d",
                    "slug": "documents",
                    "name": "Documents",
                    "description": "Answers from your documents, with citations.",
                    "model": "",
                    "role": "reader",
                    "required_labels": [],
                    "reuse": "off",
                    "understanding": {"filters": True},
                    "is_builtin": True,
                    "version": 1,
                    "emoji": "",
                    "picture": None,
                    "starters": ["How much leave do I have left?"],
                }
            ]
        }
    )


@router.get(
    "/agents", response=PageOf[AgentOut], auth=READ_OR_CHAT, summary="List agents",
    operation_id="list_agents",
)  # fmt: skip
def list_agents(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Agents that you may ask."""
    rows = selectors.list_agents(caller(request))
    return paginate(rows, ["-id"], page.cursor, page.limit)


@router.get(
    "/agents/{slug:agent}", response=AgentOut, auth=READ_OR_CHAT, summary="Read an agent",
    operation_id="get_agent",
)  # fmt: skip
def get_agent(request: HttpRequest, agent: str) -> Any:
    """By its slug or its id."""
    return selectors.find_agent(caller(request), agent)


@router.post(
    "/agents", response={201: AgentOut}, auth=WRITE, summary="Make an agent",
    operation_id="create_agent",
)  # fmt: skip
def create_agent(request: HttpRequest, body: AgentIn) -> Any:
    """As a draft: nobody can ask it before it is published."""
    user = caller(request)
    made = making.create_agent(user, body.name, body.content.changes() if body.content else None)
    return Status(201, Agent.objects.annotate_role(user).get(pk=made.pk))


@router.delete(
    "/agents/{slug:agent}", response={204: None}, auth=WRITE, summary="Delete an agent",
    operation_id="delete_agent",
)  # fmt: skip
def delete_agent(request: HttpRequest, agent: str) -> Any:
    """For everyone, with all of its versions. Conversations stay. Needs the role owner."""
    user = caller(request)
    making.delete_agent(user, selectors.find_own(user, agent))
    return Status(204, None)
