"""Alice's things, shared with everybody who may have some of them, and those who may not."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client

from accounts import services as accounts
from accounts import tokens
from accounts.models import Grant, Membership, User
from agents.models import Agent
from chat import services as chat
from chat.models import Citation, Message, Turn
from events import jobs
from gateway.embedder import get_embedder
from knowledge import services as knowledge
from knowledge.models import Collection, Document
from tests.support.cast import PASSWORD

CANARY = "the merger with Hooli closes on 14 May"
CASTS = (
    "owner", "editor", "reader", "mate", "stranger", "anonymous", "revoked", "disabled",
)  # fmt: skip


@dataclass
class World:
    people: dict[str, User]
    bearers: dict[str, str]
    ids: dict[str, Any]
    """Values of the parameters that routes take, all of them Alice's."""

    sessions: dict[str, str]

    def browser(self, cast: str) -> Client:
        """A browser in which this member of the cast has signed in; the revoked carry a token."""
        client = Client(raise_request_exception=False)
        if cast in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[cast]
        if cast == "revoked":
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.bearers[cast]}"
        return client

    def program(self, cast: str) -> Client:
        """An API client with the token of this member of the cast."""
        client = Client(raise_request_exception=False)
        if cast in self.bearers:
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.bearers[cast]}"
        return client


def build() -> World:
    people = {
        cast: User.objects.create_user(f"{cast}@example.org", PASSWORD, name=cast.title())
        for cast in ("owner", "editor", "reader", "mate", "stranger", "disabled")
    }
    bearers = {cast: tokens.issue(user, cast)[1] for cast, user in people.items()}
    revoked, bearers["revoked"] = tokens.issue(people["owner"], "revoked")
    tokens.revoke(revoked)
    alice = people["owner"]
    collection = knowledge.create_collection(alice, "Board")
    document = _indexed(alice, collection)
    agent = Agent.objects.create(owner=alice, name="Scribe", slug="scribe", instructions=CANARY)
    turn = _answered(alice, document)
    _share(people, collection, agent, turn.conversation)
    sessions = {cast: _signed_in(user) for cast, user in people.items()}
    accounts.disable(people["disabled"])
    grant = Grant.objects.get(user=people["reader"], kind=Grant.Kind.COLLECTION)
    ids: dict[str, Any] = {
        "collection_id": collection.pk, "document_id": document.pk, "job_id": document.job_id,
        "conversation_id": turn.conversation_id, "turn_id": turn.pk, "grant_id": grant.pk,
        "message_id": turn.answer_id, "agent": agent.slug, "agent_id": agent.pk,
        "token_id": tokens.issue(alice, "laptop")[0].pk, "user_id": people["reader"].pk,
        "language": "en", "uidb36": "1", "key": "x-y", "object_id": document.pk,
        "id": document.pk, "content_type_id": 1, "url": "nothing", "app_label": "chat",
    }  # fmt: skip
    return World(people, bearers, ids, sessions)


def _signed_in(user: User) -> str:
    """The session cookie of a browser in which the user has signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _indexed(alice: User, collection: Collection) -> Document:
    text = f"# Board minutes\n\nNobody outside knows that {CANARY}. 合并将于五月完成。\n"
    get_embedder().embed(["warm up"])  # making its files outlasts the lease of a job
    document, _ = knowledge.add_document(alice, collection, BytesIO(text.encode()), "minutes.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    assert document.status == Document.Status.READY, document.reason
    return document


def _answered(alice: User, document: Document) -> Turn:
    conversation = chat.create_conversation(alice, title=CANARY)
    turn = chat.start_turn(alice, conversation.pk, f"Is it true that {CANARY}?")
    Message.objects.filter(pk=turn.answer_id).update(text=f"Yes, {CANARY} [1].", status="complete")
    chunk = document.chunks.defer("terms", "bm25").get()
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=chunk.pk, n=1, quote=CANARY,
        start=chunk.start, end=chunk.end, title=document.title,
    )  # fmt: skip
    return turn


def _share(people: dict[str, User], *things: Any) -> None:
    alice = people["owner"]
    team = accounts.create_team(alice, "Board")
    Membership.objects.create(team=team, user=people["mate"])
    for thing in things:
        for person in ("editor", "reader", "disabled"):
            role = "reader" if person == "reader" else "editor"
            accounts.share(thing, people[person], role, by=alice)
        accounts.share(thing, team, "reader", by=alice)


def random_ids() -> dict[str, UUID]:
    """Well-formed ids of nothing at all."""
    return dict.fromkeys(
        ("collection_id", "document_id", "conversation_id", "turn_id", "job_id", "message_id"),
        UUID("0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"),
    )
