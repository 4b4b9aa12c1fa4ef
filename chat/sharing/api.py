"""Links, and grants on conversations, over the JSON API."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from accounts.access import require_owned
from accounts.callers import CHAT, READ_OR_CHAT, caller
from accounts.errors import SharingRefused
from accounts.limits import spend_for
from accounts.models import Grant, Team, User
from accounts.selectors import find_user
from chat import selectors
from chat.models import Conversation
from chat.retention import temporary
from chat.schemas import AT, ID, ConversationOut, example
from chat.sharing import links, shared
from chat.sharing import services as sharing
from security.rate_limits import Action
from security.schemas import WriteSchema

router = Router()
CONVERSATION = "/conversations/{uuid:conversation_id}"


class LinkIn(WriteSchema):
    days: int | None = Field(
        None, ge=1, le=links.LONGEST_DAYS, description="Null: it does not end."
    )
    is_public: bool = Field(
        False, description="For anyone with the link, where the administrator allows that."
    )

    model_config = example(days=30, is_public=False)


class LinkOut(Schema):
    id: UUID
    conversation_id: UUID
    title: str
    leaf_id: UUID = Field(description="The last message that it shows.")
    is_public: bool
    taken_at: datetime = Field(description="It shows the conversation as it was then.")
    expires_at: datetime | None
    created_at: datetime
    url: str | None = Field(None, description="Told once, when it is made.")

    model_config = example(
        id=ID, conversation_id=ID, title="Travel", leaf_id=ID, is_public=False, taken_at=AT,
        expires_at=None, created_at=AT, url=None,
    )  # fmt: skip


class ContinueIn(WriteSchema):
    token: str = Field(min_length=1, max_length=200, description="The end of a link's address.")

    model_config = example(token="…")  # noqa: S106


class GranteeIn(WriteSchema):
    email: str | None = Field(None, max_length=254, description="Of an account here.")
    team: UUID | None = None
    role: Grant.Role

    model_config = example(email="bob@example.org", team=None, role="reader")


class GranteeOut(Schema):
    id: UUID
    user_id: UUID | None
    team_id: UUID | None
    name: str
    role: str
    created_at: datetime

    model_config = example(
        id=ID, user_id=ID, team_id=None, name="Bob", role="reader", created_at=AT
    )

    @staticmethod
    def resolve_name(row: Grant) -> str:
        return str(row.user or row.team)


@router.get(
    "/links", response=list[LinkOut], auth=READ_OR_CHAT, tags=["Sharing"],
    summary="List your links", operation_id="list_links",
)  # fmt: skip
def list_links(request: HttpRequest) -> Any:
    """Yours that have not ended, the newest first."""
    return list(sharing.list_links(caller(request)))


@router.get(
    f"{CONVERSATION}/links", response=list[LinkOut], auth=READ_OR_CHAT, tags=["Sharing"],
    summary="List the links to a conversation", operation_id="list_conversation_links",
)  # fmt: skip
def list_conversation_links(request: HttpRequest, conversation_id: UUID) -> Any:
    """Yours. Needs the role owner."""
    user = caller(request)
    require_owned(Conversation.objects, user, conversation_id)
    return list(sharing.list_links(user, conversation_id))


@router.post(
    f"{CONVERSATION}/links", response={201: LinkOut}, auth=CHAT, tags=["Sharing"],
    summary="Share by link", operation_id="create_link",
)  # fmt: skip
def create_link(request: HttpRequest, conversation_id: UUID, body: LinkIn) -> Any:
    """To the path on show, as it is now; `url` is in this answer only. Needs the role owner."""
    user = caller(request)
    spend_for(request, Action.LINKS)
    sharing.find_shareable(user, conversation_id)
    made, token = links.make_link(user, conversation_id, days=body.days, is_public=body.is_public)
    made.url = request.build_absolute_uri(reverse("chat:shared", args=[token]))  # type: ignore[attr-defined]
    return Status(201, made)


@router.post(
    "/links/{uuid:link_id}/update", response=LinkOut, auth=CHAT, tags=["Sharing"],
    summary="Update what a link shows", operation_id="update_link",
)  # fmt: skip
def update_link(request: HttpRequest, link_id: UUID) -> Any:
    """From now on it shows the path that is on show now."""
    return links.update_link(caller(request), link_id)


@router.delete(
    "/links/{uuid:link_id}", response={204: None}, auth=CHAT, tags=["Sharing"],
    summary="Take a link back", operation_id="delete_link",
)  # fmt: skip
def delete_link(request: HttpRequest, link_id: UUID) -> Any:
    links.revoke_link(caller(request), link_id)
    return Status(204, None)


@router.post(
    "/links/continue", response={201: ConversationOut}, auth=CHAT, tags=["Sharing"],
    summary="Continue from a link", operation_id="continue_link",
)  # fmt: skip
def continue_link(request: HttpRequest, body: ContinueIn) -> Any:
    """Copies what the link shows into a conversation of yours, with the sources you may see."""
    user = caller(request)
    spend_for(request, Action.TURNS)
    made = shared.continue_shared(body.token, user)
    return Status(201, selectors.find_conversation(user, made.pk))


@router.get(
    f"{CONVERSATION}/grants", response=list[GranteeOut], auth=READ_OR_CHAT, tags=["Sharing"],
    summary="List who has access", operation_id="list_grants",
)  # fmt: skip
def list_grants(request: HttpRequest, conversation_id: UUID) -> Any:
    """Besides its owner. Needs the role owner."""
    found = require_owned(Conversation.objects, caller(request), conversation_id)
    return list(sharing.list_people(found))


@router.put(
    f"{CONVERSATION}/grants", response=GranteeOut, auth=CHAT, tags=["Sharing"],
    summary="Share with a person or a team", operation_id="give_grant",
)  # fmt: skip
def give_grant(request: HttpRequest, conversation_id: UUID, body: GranteeIn) -> Any:
    """Replaces the role they had. Needs the role owner."""
    user = caller(request)
    sharing.find_shareable(user, conversation_id)
    return sharing.share_conversation(user, conversation_id, _grantee(user, body), body.role)


@router.delete(
    f"{CONVERSATION}/grants/{{uuid:access_id}}", response={204: None}, auth=CHAT, tags=["Sharing"],
    summary="Take access away", operation_id="take_grant",
)  # fmt: skip
def take_grant(request: HttpRequest, conversation_id: UUID, access_id: UUID) -> Any:
    """Needs the role owner."""
    sharing.unshare_conversation(caller(request), conversation_id, access_id)
    return Status(204, None)


@router.post(
    f"{CONVERSATION}/keep", response=ConversationOut, auth=CHAT, tags=["Conversations"],
    summary="Keep a temporary conversation", operation_id="keep_conversation",
)  # fmt: skip
def keep_conversation(request: HttpRequest, conversation_id: UUID) -> Any:
    """From now on it is one like any other. Needs the role owner."""
    user = caller(request)
    require_owned(Conversation.objects, user, conversation_id)
    temporary.keep_conversation(user, conversation_id)
    return selectors.find_conversation(user, conversation_id)


def _grantee(user: User, body: GranteeIn) -> User | Team:
    """Raises SharingRefused, and Http404 for a team that `user` does not know, whatever else is
    said: it must read like a team that is not there.
    """
    team = None if body.team is None else _known_team(user, body.team)
    if (body.email is None) == (team is None):
        raise SharingRefused(_("Give an e-mail address or choose a team, one of the two."))
    if team is not None:
        return team
    person = find_user(body.email or "")
    if person is None or not person.is_active:
        raise SharingRefused(_("Nobody here has this address. Ask an administrator."))
    return person


def _known_team(user: User, team_id: UUID) -> Team:
    team = Team.objects.filter(pk=team_id).first()
    if team is None or not (user.is_staff or team.is_everyone or _is_in(user, team)):
        raise Http404
    return team


def _is_in(user: User, team: Team) -> bool:
    return team.memberships.filter(user=user).exists()
