"""Servers, their tools and people's connections as JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.naming import LONGEST_SERVER, SERVER, is_address
from agents.mcp_client.services import suggested_effect, token_hint
from security.schemas import WriteSchema

ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-22T09:30:00Z"
PIN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LONGEST_CALL = 600  # seconds
Name = Annotated[str, StringConstraints(pattern=rf"^{SERVER.pattern}$", max_length=LONGEST_SERVER)]


def _address(url: str) -> str:
    if not is_address(url):
        raise ValueError("This is no address.")
    return url


Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s/@?#]+(/[^\s#]*)?$", max_length=500),
    AfterValidator(_address),
]
Token = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Email = Annotated[str, StringConstraints(pattern=r"^[^\s\x00]+@[^\s\x00]+$", max_length=254)]
Auth = Literal["none", "bearer", "oauth"]
LOOK: Any = {"name": "look", "description": "Looks a page up.", "inputSchema": {"type": "object"}}


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class McpServerPatch(WriteSchema):
    """What is missing or null stays as it is."""

    url: Url | None = None
    auth: Auth | None = Field(None, description="`oauth`: each person signs in there.")
    token: Token | None = Field(None, description="For everybody; sealed, and never told again.")
    client_id: str | None = Field(None, max_length=500, description="For OAuth, by hand.")
    is_enabled: bool | None = None
    is_for_everyone: bool | None = None
    teams: Annotated[list[UUID], Field(max_length=100)] | None = None
    people: Annotated[list[Email], Field(max_length=100)] | None = None
    timeout: int | None = Field(None, ge=1, le=LONGEST_CALL, description="Of a call, in seconds.")

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"is_for_everyone": True}]}
    )

    def fields(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class McpServerIn(McpServerPatch):
    name: Name = Field(description="The names of its tools begin with it, as in wiki__search.")
    url: Url

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "wiki", "url": "https://mcp.example.org/mcp", "auth": "none"}]
        },
    )


class McpServerOut(Schema):
    id: UUID
    name: str
    url: str = Field(description="Empty: a program of the operator's file.")
    is_local: bool
    auth: str
    token_hint: str = Field(description="The last characters of the stored token.")
    client_id: str
    is_enabled: bool
    is_for_everyone: bool
    teams: list[UUID]
    people: list[str] = Field(description="E-mail addresses.")
    timeout: int
    waiting: int = Field(description="Tools that nobody has decided about as they are now.")
    last_checked_at: datetime | None
    last_error: str
    created_at: datetime

    model_config = example(
        id=ID, name="wiki", url="https://mcp.example.org/mcp", is_local=False, auth="none",
        token_hint="", client_id="", is_enabled=True, is_for_everyone=True, teams=[], people=[],
        timeout=60, waiting=2, last_checked_at=AT, last_error="", created_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_token_hint(row: McpServer) -> str:
        return token_hint(row) if row.auth == McpServer.Auth.BEARER else ""

    @staticmethod
    def resolve_teams(row: McpServer) -> list[UUID]:
        return [one.pk for one in row.teams.all()]

    @staticmethod
    def resolve_people(row: McpServer) -> list[str]:
        return [one.email for one in row.people.all()]

    @staticmethod
    def resolve_waiting(row: Any) -> int:
        count: int = row.open_count
        return count


class McpCheckOut(Schema):
    is_connected: bool
    trouble: str = Field(description="What went wrong, in words.")
    tools: int = Field(description="How many it offers.")
    waiting: int

    model_config = example(is_connected=True, trouble="", tools=3, waiting=1)


class McpToolOut(Schema):
    id: UUID
    name: str = Field(description="As agents call it.")
    own_name: str
    state: str = Field(description="`new`, `approved`, `changed`, `rejected` or `gone`.")
    effect: str = Field(description="What a call can do, as was decided.")
    suggested_effect: str = Field(description="What the server says of itself; never believed.")
    pin: str = Field(description="SHA-256 of the definition; a decision names it.")
    definition: dict[str, Any]
    approved_pin: str
    approved_definition: dict[str, Any] | None
    decided_at: datetime | None

    model_config = example(
        id=ID, name="wiki__look", own_name="look", state="new", effect="sends",
        suggested_effect="reads", pin=PIN, definition=LOOK, approved_pin="",
        approved_definition=None, decided_at=None,
    )  # fmt: skip

    @staticmethod
    def resolve_suggested_effect(row: McpTool) -> str:
        return str(suggested_effect(row.definition))


class McpDecisionIn(WriteSchema):
    decision: Literal["approve", "reject"]
    pin: str = Field(min_length=64, max_length=64, description="Of the definition that was read.")
    effect: Literal["reads", "changes", "sends"] = Field(
        "sends", description="The most that a call can do, by which the policy decides."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "approve", "pin": PIN, "effect": "reads"}]},
    )


class ConnectionOut(Schema):
    server_id: UUID
    server: str
    status: str = Field(description="`connected`, `broken` (connect again) or `none`.")
    connected_at: datetime | None

    model_config = example(server_id=ID, server="wiki", status="connected", connected_at=AT)


class ConnectionBegun(Schema):
    url: str = Field(description="Where to sign in, in a browser in which you are signed in here.")

    model_config = example(url="https://auth.example.org/authorize?response_type=code&state=…")


class ConnectionEnded(Schema):
    revoked: bool | None = Field(
        description="Whether the server took the tokens back (RFC 7009); null: it has no such "
        "place, or there was nothing. They are deleted here all the same."
    )

    model_config = example(revoked=True)
