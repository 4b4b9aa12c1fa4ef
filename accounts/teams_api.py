"""Teams in the JSON API."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from accounts import teams
from accounts.callers import ANY, WRITE, caller
from accounts.selectors import list_teams
from security.schemas import WriteSchema

router = Router(tags=["Teams"])
TEAM = "/teams/{uuid:team_id}/members"
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
MEMBER: dict[str, Any] = {"id": ID, "name": "Bob", "email": "bob@example.org", "role": "member"}
Role = Literal["owner", "member"]


class MemberOut(Schema):
    id: UUID = Field(validation_alias="user.pk", description="Of the person.")
    name: str = Field(validation_alias="user.name")
    email: str = Field(validation_alias="user.email")
    role: Role

    model_config = ConfigDict(json_schema_extra={"examples": [MEMBER]})


class TeamWithMembers(Schema):
    id: UUID
    name: str
    members: list[MemberOut] = Field(validation_alias="people")

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": ID, "name": "Editors", "members": [MEMBER]}]}
    )


class MemberIn(WriteSchema):
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
    role: Role = "member"

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "bob@example.org"}]})


class RoleIn(WriteSchema):
    role: Role

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "owner"}]})


@router.get(
    "/teams", response=list[TeamWithMembers], auth=ANY, summary="List your teams",
    operation_id="list_teams",
)  # fmt: skip
def list_my_teams(request: HttpRequest) -> Any:
    """With their active members, owners first."""
    return list_teams(caller(request))


@router.post(
    TEAM, response=MemberOut, auth=WRITE, summary="Add a member", operation_id="add_member"
)
def add_member(request: HttpRequest, team_id: UUID, body: MemberIn) -> Any:
    """Somebody with an account here, by their address. Needs to be an owner of the team."""
    return teams.add_member(caller(request), team_id, body.email, body.role)


@router.patch(
    f"{TEAM}/{{uuid:user_id}}", response=MemberOut, auth=WRITE, summary="Change a member's role",
    operation_id="change_member",
)  # fmt: skip
def change_member(request: HttpRequest, team_id: UUID, user_id: UUID, body: RoleIn) -> Any:
    """Needs to be an owner of the team; its only owner stays one."""
    return teams.change_role(caller(request), team_id, user_id, body.role)


@router.delete(
    f"{TEAM}/{{uuid:user_id}}", response={204: None}, auth=WRITE, summary="Remove a member",
    operation_id="remove_member",
)  # fmt: skip
def remove_member(request: HttpRequest, team_id: UUID, user_id: UUID) -> Any:
    """Needs to be an owner of the team, or the person: whoever is in a team may leave it."""
    teams.remove_member(caller(request), team_id, user_id)
    return Status(204, None)
