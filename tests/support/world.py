"""Alice's things, shared with everybody who may have some of them, and those who may not.

The rival has a team and things of their own, of which nobody else may learn anything either.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from accounts import services as accounts
from accounts import tokens
from accounts.models import Budget, Device, Grant, Membership, Takeout, User
from agents import saved_prompts
from agents.approvals.digests import canonical, digest_of
from agents.mcp_client.naming import name_of
from agents.mcp_client.pinning import pin_of
from agents.memory.services import add_memory
from agents.models import (
    Agent,
    AgentPicture,
    Approval,
    McpServer,
    McpTool,
    SavedPrompt,
    ToolPermission,
)
from chat import services as chat
from chat.answers import feedback
from chat.models import Citation, Conversation, Feedback, Import, Message, Turn
from chat.sharing import links
from chat.sidebar import folders
from events import jobs
from gateway.embedding.embedder import get_embedder
from knowledge import services as knowledge
from knowledge import shelves
from knowledge.glossary.services import put_entry
from knowledge.models import (
    Collection,
    Document,
    DocumentVersion,
    Figure,
    PassageEdit,
    QualityRun,
    QualityTuning,
    Source,
    SourceItem,
    SyncRun,
    VersionText,
)
from knowledge.quality.approved import approve
from knowledge.quality.services import Expectation, add_question
from knowledge.sources.connector import key_of
from tests.support.attached import attached, picture
from tests.support.cast import PASSWORD
from tests.support.processes import sign_in

CANARY = "the merger with Hooli closes on 14 May"
RIVAL_CANARY = "the vineyard in Piran is for sale"
SIGNED_IN = ("owner", "editor", "reader", "mate", "stranger", "rival")
# Of the owner's tokens, one for each scope and nothing else.
NARROWED = tuple(f"token:{scope.value}" for scope in tokens.Scope)
CASTS = (*SIGNED_IN, "anonymous", "revoked", "disabled", "signed out", *NARROWED)
SHARED = (Collection, Conversation, Agent)  # what is given to people and teams by grants
OUTSIDERS = frozenset({"stranger", "rival", "anonymous", "revoked", "disabled", "signed out"})


@dataclass
class World:
    people: dict[str, User]
    bearers: dict[str, str]
    ids: dict[str, Any]
    """Values of the parameters that routes take, all of them Alice's."""

    sessions: dict[str, str]
    rival_ids: dict[str, Any]
    """The same names, for the rival's own things."""

    handler: ClientHandler = field(default_factory=lambda: ClientHandler(enforce_csrf_checks=False))
    """The middleware, stacked once for all of them: each request of the cast has a new client."""

    def browser(self, cast: str) -> Client:
        """A browser in which this member of the cast has signed in; others carry their token."""
        if cast not in self.sessions:
            return self.program(cast)
        client = self._client()
        client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[cast]
        return client

    def program(self, cast: str) -> Client:
        """An API client with the token of this member of the cast, or a session that is over."""
        if cast == "signed out":
            return self.browser(cast)
        client = self._client()
        if cast in self.bearers:
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.bearers[cast]}"
        return client

    def _client(self) -> Client:
        client = Client(raise_request_exception=False)
        client.handler = self.handler
        return client


def build() -> World:
    people = {
        cast: User.objects.create_user(f"{cast}@example.org", PASSWORD, name=cast.title())
        for cast in (*SIGNED_IN, "disabled")
    }
    alice, rival = people["owner"], people["rival"]
    bearers = {cast: tokens.issue(user, cast)[1] for cast, user in people.items()}
    for cast, scope in zip(NARROWED, tokens.Scope, strict=True):
        bearers[cast] = tokens.issue(alice, cast, [scope.value])[1]
    revoked, bearers["revoked"] = tokens.issue(alice, "revoked")
    tokens.revoke(revoked)
    ids = furnish(alice, "Board", CANARY)
    _share(people, ids)
    rival_ids = furnish(rival, "Cellar", RIVAL_CANARY)
    accounts.create_team(rival, "Rivals")
    sessions = {cast: sign_in(user) for cast, user in people.items()}
    sessions["signed out"] = sign_in(alice)
    Client(headers={"cookie": f"{settings.SESSION_COOKIE_NAME}={sessions['signed out']}"}).post(
        "/accounts/logout/"
    )
    accounts.disable(people["disabled"])
    grant = Grant.objects.get(user=people["reader"], kind=Grant.Kind.COLLECTION)
    ids |= {"budget_id": Budget.objects.create(name="Month", limit=10**9).pk}
    ids |= {"grant_id": grant.pk, "user_id": people["reader"].pk}
    ids |= {
        "language": "en", "uidb36": "1", "key": "x-y", "object_id": ids["document_id"],
        "id": ids["document_id"], "content_type_id": 1, "url": "nothing", "app_label": "chat",
        "place": "nothing", "model": ids["agent"], "pk": ids["document_id"],
    }  # fmt: skip
    return World(people, bearers, ids, sessions, rival_ids)


def furnish(owner: User, name: str, secret: str) -> dict[str, Any]:
    """One thing of every kind, with the secret in each; their ids."""
    collection = knowledge.create_collection(owner, name, secret)
    document = _indexed(owner, collection, secret)
    slug = f"scribe-of-{name.lower()}"
    agent = Agent.objects.create(
        owner=owner, name=f"Scribe: {secret}", slug=slug, description=secret, instructions=secret
    )
    turn = _answered(owner, document, secret)
    prompt = saved_prompts.create_prompt(owner, f"Prompt: {secret}"[:80], secret)
    return {
        "prompt_id": prompt.pk, "saved_prompt_id": prompt.pk,
        "collection_id": collection.pk, "document_id": document.pk, "job_id": document.job_id,
        "edit_id": _edited(document, secret).pk,
        **_asked_of(owner, document, secret),
        "entry_id": put_entry(collection, [secret, f"{secret} again"]).pk,
        "source_id": _connected(owner, document, secret).pk, "kind": "api",
        "number": 1,  # of the document's only picture
        "conversation_id": turn.conversation_id, "turn_id": turn.pk, "message_id": turn.answer_id,
        "folder_id": folders.create_folder(owner, secret).pk,
        "question_id": turn.question_id, "agent": agent.slug, "agent_id": agent.pk,
        "picture_id": AgentPicture.objects.create(agent=agent, data=secret.encode()).pk,
        "token_id": tokens.issue(owner, "laptop")[0].pk,
        "attachment_id": _sent(owner, turn, secret),
        **_asked_about(owner, agent, turn, secret),
        "memory_id": add_memory(owner, f"I know that {secret}").pk,
        "server_id": (server := _offered_to(owner)).pk,
        "tool_id": _tool_of(server).pk,
        **_kept_of(owner, secret),
        "link_id": links.make_link(owner, turn.conversation_id)[0].pk,
        "import_id": _uploaded(owner, secret).pk,
        "token": "x" * 43,  # of nobody's link: one that is right shows what it shows to everybody
    }  # fmt: skip


def _edited(document: Document, secret: str) -> PassageEdit:
    """An edit whose words are not in the document any more."""
    target = {"quote": secret, "before": "", "after": "", "start": 0}
    return PassageEdit.objects.create(
        document=document, kind="correct", state="lost", targets=[target], text=secret,
        pieces=[str(document.pk)], made_by=document.added_by,
    )  # fmt: skip


def _asked_of(owner: User, document: Document, secret: str) -> dict[str, Any]:
    """A golden question that was asked once, a tuning that failed, and an approved answer."""
    collection, expected = document.collection, [Expectation(document.pk)]
    question = add_question(owner, collection, f"When? {secret}", expected=expected, note=secret)
    run = QualityRun.objects.create(collection=collection, cause="hand", state="failed")
    run.results.create(question=question, rank=1, ndcg=1.0)
    tuning = QualityTuning.objects.create(collection=collection, state="failed", reason=secret)
    answer = approve(owner, collection, f"Why? {secret}", secret, sources=expected)
    return {
        "golden_id": question.pk, "quality_run_id": run.pk, "tuning_id": tuning.pk,
        "approved_id": answer.pk,
    }  # fmt: skip


def _asked_about(owner: User, agent: Agent, turn: Turn, secret: str) -> dict[str, Any]:
    """A call that waits for its approval, and a permission for such calls."""
    arguments = canonical({"text": secret})
    approval = Approval.objects.create(
        owner=owner, agent=agent, run_id=turn.pk, call_id="call_1", tool="send_mail",
        conversation_id=turn.conversation_id, title=secret, arguments=arguments, effect="sends",
        digest=digest_of("send_mail", "", arguments, owner.pk, turn.pk), longest="always",
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    permission = ToolPermission.objects.create(
        owner=owner, agent=agent, tool="send_mail", title=secret
    )
    return {"approval_id": approval.pk, "permission_id": permission.pk}


def _connected(owner: User, document: Document, secret: str) -> Source:
    """What another program pushes, the document among it, and a visit that failed."""
    source = Source.objects.create(
        collection=document.collection, kind="api", name=f"Bot: {secret}", added_by=owner
    )
    SourceItem.objects.create(
        source=source, key=key_of(secret), external_id=secret, title=secret, document=document
    )
    SyncRun.objects.create(
        source=source, status="failed", reason=secret, sample=[{"item": secret, "reason": "No."}]
    )
    return source


def _sent(owner: User, turn: Turn, secret: str) -> UUID:
    """An image under the question, with the secret in its name."""
    image = attached(owner, picture(), f"{secret}.png")
    shelves.hand_over([image], owner.pk, turn.conversation_id)
    Message.objects.filter(pk=turn.question_id).update(attachments=[image.pk])
    return image.pk


def _uploaded(owner: User, secret: str) -> Import:
    """An export that was looked through and waits to be imported."""
    found = [{"title": secret, "messages": 2, "known": False, "source": "chatgpt", "at": None}]
    return Import.objects.create(
        owner=owner, file_name=f"{secret}.json", size=1, state="ready", conversations=1, found=found
    )


def _kept_of(owner: User, secret: str) -> dict[str, Any]:
    """A browser they are signed in with, and an export that is ready."""
    device = Device.objects.create(
        user=owner, session_key=sign_in(owner), agent=secret, seen_at=timezone.now()
    )
    takeout = Takeout.objects.create(
        owner=owner, size=len(secret), expires_at=timezone.now() + timedelta(days=1)
    )
    folder = Path(settings.TAKEOUTS_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{takeout.pk}.zip").write_text(secret)
    return {
        "device_id": device.pk, "session_id": device.pk,
        "takeout_id": takeout.pk, "export_id": takeout.pk,
    }  # fmt: skip


def _indexed(owner: User, collection: Collection, secret: str) -> Document:
    text = f"# Minutes\n\nNobody outside knows that {secret}. 合并将于五月完成。\n"
    get_embedder().embed(["warm up"])  # making its files outlasts the lease of a job
    name = f"minutes, {secret}.md"
    document, _ = knowledge.add_document(owner, collection, BytesIO(text.encode()), name)
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    assert document.status == Document.Status.READY, document.reason
    past = DocumentVersion.objects.create(
        document=document, number=9, state="past", file_id=document.pk, file_name=name,
        media_type="text/markdown", size=3, sha256="0" * 64, title=secret, made_at=timezone.now(),
    )  # fmt: skip
    VersionText.objects.create(version=past, text=text)
    Figure.objects.create(
        document=document, number=1, data=picture(), media_type="image/png", width=64, height=48
    )
    return document


def _answered(owner: User, document: Document, secret: str) -> Turn:
    conversation = chat.create_conversation(owner, title=secret)
    turn = chat.start_turn(owner, conversation.pk, f"Is it true that {secret}?")
    Message.objects.filter(pk=turn.answer_id).update(text=f"Yes, {secret} [1].", status="complete")
    chunk = document.chunks.defer("terms", "bm25").get()
    feedback.rate_answer(owner, turn.answer_id, Feedback.Rating.BAD, comment=secret)
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=chunk.pk, n=1, quote=secret,
        start=chunk.start, end=chunk.end, title=document.title,
    )  # fmt: skip
    return turn


def _share(people: dict[str, User], ids: dict[str, Any]) -> None:
    alice = people["owner"]
    team = accounts.create_team(alice, "Board")
    Membership.objects.create(team=team, user=people["mate"])
    for model in (*SHARED, SavedPrompt):
        thing = model.objects.get(pk=ids[f"{model.grant_kind}_id"])
        for person in ("editor", "reader", "disabled"):
            role = "reader" if person == "reader" else "editor"
            accounts.share(thing, people[person], role, by=alice)
        accounts.share(thing, team, "reader", by=alice)
    ids["team_id"] = team.pk
    given = Grant.objects.filter(kind=Grant.Kind.CONVERSATION, object_id=ids["conversation_id"])
    ids["access_id"] = given.get(user=people["reader"]).pk


def _offered_to(owner: User) -> McpServer:
    """A server at which its people sign in; nobody listens there."""
    server: McpServer = McpServer.objects.create(
        name=f"s{owner.pk.hex[-12:]}", url="http://127.0.0.1:9/mcp", auth="oauth"
    )
    server.people.add(owner)
    return server


def _tool_of(server: McpServer) -> McpTool:
    definition = {"name": "look", "description": "Looks.", "inputSchema": {"type": "object"}}
    made: McpTool = McpTool.objects.create(
        server=server, own_name="look", name=name_of(server.name, "look"), definition=definition,
        pin=pin_of(definition), seen_at=timezone.now(),
    )  # fmt: skip
    return made


def random_ids() -> dict[str, UUID]:
    """Well-formed ids of nothing at all."""
    nothing = UUID("0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d")
    return dict.fromkeys(
        (
            "collection_id", "document_id", "conversation_id", "turn_id", "job_id", "message_id",
            "question_id", "folder_id", "memory_id", "device_id", "session_id", "takeout_id",
            "server_id", "tool_id",
            "export_id", "agent_id", "token_id", "prompt_id", "grant_id", "team_id", "link_id",
            "import_id", "access_id", "attachment_id", "saved_prompt_id", "edit_id",
            "source_id", "entry_id", "golden_id", "quality_run_id", "tuning_id", "approved_id",
            "user_id", "budget_id",
        ),
        nothing,
    )  # fmt: skip
