from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from accounts import selectors, services
from accounts.budgets.schemas import QuotaOut
from accounts.budgets.selectors import quotas_of
from accounts.callers import ANY, WRITE, caller
from accounts.models import ApiToken
from accounts.time_zones import known_time_zone
from security.schemas import WriteSchema

router = Router(tags=["Account"])
TimeZone = Annotated[str, AfterValidator(known_time_zone)]


class TeamOut(Schema):
    id: UUID
    name: str
    role: str = Field(description="`owner` or `member`.")


class TokenOut(Schema):
    name: str
    prefix: str
    scopes: list[str] = Field(description="Empty: all that its user may do.")


class MeOut(Schema):
    id: UUID
    email: str
    name: str
    language: str = Field(description="Empty: the browser's.")
    theme: str
    has_key_shortcuts: bool = Field(description="Whether keys like `?` do something by themselves.")
    time_zone: str = Field(description="As `Europe/Berlin`; empty: the server's.")
    default_agent: UUID | None = Field(description="Who answers in a new chat; null: the first.")
    marks_unsupported: bool = Field(description="Whether unsupported sentences are marked.")
    memory: str = Field(description="`off`, `asked` or `noticed`; see `/memories/mode`.")
    leaves_at: datetime | None = Field(description="When the account is to be deleted.")
    has_first_steps: bool = Field(description="Whether an administrator sees the first steps.")
    is_staff: bool
    teams: list[TeamOut]
    token: TokenOut | None = Field(description="The token of this request, if there is one.")
    quota: list[QuotaOut] = Field(description="What is left, as `/me/quota` has it.")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d",
                    "email": "alice@example.org",
                    "name": "Alice",
                    "language": "zh-hans",
                    "theme": "system",
                    "has_key_shortcuts": True,
                    "time_zone": "Europe/Berlin",
                    "default_agent": None,
                    "marks_unsupported": True,
                    "memory": "off",
                    "leaves_at": None,
                    "has_first_steps": True,
                    "is_staff": False,
                    "teams": [
                        {
                            "id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3e",
                            "name": "Editors",
                            "role": "owner",
                        }
                    ],
                    "token": {"name": "laptop", "prefix": "k3v9q2ab", "scopes": ["read"]},
                    "quota": [],
                }
            ]
        }
    }


class MePatch(WriteSchema):
    """What is missing or null stays as it is."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None
    language: Literal["", "en", "zh-hans", "zh-hant"] | None = None
    theme: Literal["system", "light", "dark"] | None = None
    has_key_shortcuts: bool | None = None
    has_first_steps: bool | None = None
    time_zone: TimeZone | None = None
    marks_unsupported: bool | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"theme": "dark"}]})


@router.get("/me", response=MeOut, auth=ANY, summary="Who is calling", operation_id="get_me")
def get_me(request: HttpRequest) -> MeOut:
    """The person the token or session belongs to, their teams and what is left of their quota."""
    user = caller(request)
    token = getattr(request, "auth", None)
    return MeOut(
        id=user.pk,
        email=user.email,
        name=user.name,
        language=user.language,
        theme=user.theme,
        has_key_shortcuts=user.has_key_shortcuts,
        time_zone=user.time_zone,
        default_agent=user.default_agent,
        marks_unsupported=user.marks_unsupported,
        memory=user.memory,
        leaves_at=user.leaves_at,
        has_first_steps=user.has_first_steps,
        is_staff=user.is_staff,
        teams=[
            TeamOut(id=membership.team_id, name=membership.team.name, role=membership.role)
            for membership in selectors.list_memberships(user)
        ],
        token=TokenOut.from_orm(token) if isinstance(token, ApiToken) else None,
        quota=[QuotaOut.of(quota) for quota in quotas_of(user)],
    )


@router.patch(
    "/me", response=MeOut, auth=WRITE, summary="Change your settings", operation_id="update_me"
)
def update_me(request: HttpRequest, body: MePatch) -> MeOut:
    """How you are addressed, in which language, and what pages show."""
    services.change_preferences(caller(request), **body.model_dump(exclude_none=True))
    return get_me(request)
