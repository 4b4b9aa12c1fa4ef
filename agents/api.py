from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.callers import READ_OR_CHAT, caller
from agents import selectors
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
    version: int

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
