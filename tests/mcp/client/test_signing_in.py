"""A call that needs the person's account waits until they connected, and the answer goes on."""

import asyncio
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from agents.approvals import services as approvals
from agents.approvals.models import Approval
from agents.mcp_client.models import McpAccount, McpServer
from agents.models import Agent, ToolExecution
from chat.models import Turn
from chat.services import start_turn
from chat.turns.runner import run_with_memory
from gateway.controls import Capability
from gateway.routing.routes import forget_routes
from observability.db import run_sync
from tests.chat.stage import play, running
from tests.mcp.client.fake import FakeServer
from tests.mcp.client.fake_issuer import FakeIssuer
from tests.mcp.client.test_oauth import PAGE, approve, browser_of, connect, start
from tests.support.model_server import ModelServer, Script, calling
from tests.support.served import connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def issuer(fake: FakeServer) -> FakeIssuer:
    return FakeIssuer(fake)


@pytest.fixture
def personal(
    transactional_db: Any, fake: FakeServer, issuer: FakeIssuer, admin: User,
    upstream: ModelServer, alice: User,
) -> Any:  # fmt: skip
    """A server for people's accounts; its one tool reads, is approved, and Alice's agent has it."""
    made: McpServer = McpServer.objects.create(
        name="wiki", url=fake.url, auth="oauth", is_for_everyone=True, timeout=20
    )
    connect(browser_of(admin), made, issuer)
    approve(made, admin)
    made.tools.update(effect="reads")
    forget_routes()
    connected(upstream, capabilities=dict.fromkeys(Capability, True))
    Agent.objects.create(
        owner=alice, name="Clerk", slug="clerk", tools=["wiki__look"], max_passages=0
    )
    upstream.queue(calling(("wiki__look", {"q": "sky"})), Script(text="It is blue."))
    yield made
    forget_routes()


async def until(condition: Any) -> Any:
    async with asyncio.timeout(60):
        while not (found := await run_sync(condition)):  # noqa: ASYNC110 - a row of another
            await asyncio.sleep(0.05)
        return found


def waiting(turn: Turn) -> Approval | None:
    if not Turn.objects.filter(pk=turn.pk, status=Turn.Status.WAITING).exists():
        return None
    return Approval.objects.filter(run_id=turn.pk, status="waiting").first()


async def asked(alice: User) -> tuple[Turn, Approval]:
    turn = await run_sync(start_turn, alice, None, "What colour is the sky?", agent="clerk")
    return turn, await until(lambda: waiting(turn))


async def answered(turn: Turn) -> str:
    done = Turn.objects.filter(pk=turn.pk, finished_at__isnull=False).select_related("answer")
    text: str = (await until(done.first)).answer.text
    return text


def status_of(user: User, approval: Approval) -> int:
    status: int = browser_of(user).get(f"/settings/approvals/{approval.pk}").status_code
    return status


def test_who_connects_from_the_card_comes_back_and_the_answer_goes_on(
    personal: McpServer, issuer: FakeIssuer, fake: FakeServer, alice: User, bob: User
) -> None:
    browser = browser_of(alice)

    def come_back(approval: Approval) -> str:
        card = browser.get(f"/settings/approvals/{approval.pk}").content.decode()
        assert "Connect to wiki" in card
        assert str(personal.pk) in card
        shown = browser.post(f"{PAGE}{personal.pk}/connect", {"approval": str(approval.pk)})
        address = unescape(shown.content.decode()).split('class="btn primary" href="')[1]
        answer = issuer.agree(address.split('"')[0])
        return str(browser.get(f"{PAGE}back", answer)["Location"])

    async def scenario() -> None:
        async with running(run_with_memory):
            turn, approval = await asked(alice)
            assert (approval.kind, approval.server, fake.called) == ("sign_in", "wiki", [])
            assert await run_sync(lambda: status_of(bob, approval)) == 404
            place = await run_sync(come_back, approval)
            assert place.endswith(str(turn.conversation_id))
            assert await answered(turn) == "It is blue."

    play(scenario)
    assert [one["arguments"] for one in fake.called] == [{"q": "sky"}]
    assert Approval.objects.get().status == "approved"


def test_without_the_account_the_answer_goes_on_when_the_person_says_so(
    personal: McpServer, fake: FakeServer, alice: User
) -> None:
    async def scenario() -> None:
        async with running(run_with_memory):
            turn, approval = await asked(alice)
            await run_sync(approvals.decide, alice, approval.pk, "deny", approval.digest)
            assert await answered(turn) == "It is blue."

    play(scenario)
    assert fake.called == []


def test_a_token_that_is_refused_in_the_middle_waits_too(
    personal: McpServer, issuer: FakeIssuer, fake: FakeServer, alice: User
) -> None:
    connect(browser_of(alice), personal, issuer)
    fake.token = "revoked there"
    issuer.refuses = {"refresh_token"}

    def again() -> None:
        issuer.refuses = set()
        card = browser_of(alice).get(f"/settings/approvals/{Approval.objects.get().pk}")
        assert "Connect again to wiki" in card.content.decode()
        connect(browser_of(alice), personal, issuer)  # from the settings

    async def scenario() -> None:
        async with running(run_with_memory):
            turn, _approval = await asked(alice)
            await run_sync(again)
            assert await answered(turn) == "It is blue."

    play(scenario)
    assert len(fake.called) == 1
    assert not McpAccount.objects.filter(is_broken=True).exists()


@pytest.mark.parametrize("scope", ["conversation", "once"])
def test_what_acts_is_called_once_they_connected_again_for_it_was_not_before(
    personal: McpServer, issuer: FakeIssuer, fake: FakeServer, alice: User, scope: str
) -> None:
    personal.tools.update(effect="changes")
    connect(browser_of(alice), personal, issuer)
    fake.token = "revoked there"
    issuer.refuses = {"refresh_token"}

    def say_yes(approval: Approval) -> None:
        approvals.decide(alice, approval.pk, "approve", approval.digest, scope)

    def again() -> None:
        issuer.refuses = set()
        connect(browser_of(alice), personal, issuer)

    async def scenario() -> None:
        async with running(run_with_memory):
            turn, first = await asked(alice)
            assert first.kind == "call"
            await run_sync(say_yes, first)
            await until(lambda: (row := waiting(turn)) and row.kind == "sign_in")
            assert not await run_sync(ToolExecution.objects.exists)
            await run_sync(again)
            if scope == "once":
                await run_sync(say_yes, await until(lambda: waiting(turn)))
            assert await answered(turn) == "It is blue."

    play(scenario)
    assert len(fake.called) == 1
    assert ToolExecution.objects.get().status == "done"


def test_trying_again_without_an_account_asks_again(
    personal: McpServer, fake: FakeServer, alice: User
) -> None:
    async def scenario() -> None:
        async with running(run_with_memory):
            turn, first = await asked(alice)
            await run_sync(approvals.decide, alice, first.pk, "approve", first.digest)
            second = await until(lambda: (row := waiting(turn)) and row.pk != first.pk and row)
            assert second.attempt == 2
            await run_sync(approvals.decide, alice, second.pk, "deny", second.digest)
            await answered(turn)

    play(scenario)
    assert fake.called == []


@pytest.mark.parametrize("state", ["日本", "\udce9", "x" * 5000, ""])
def test_any_state_that_is_not_ours_connects_nobody(
    personal: McpServer, issuer: FakeIssuer, alice: User, state: str
) -> None:
    client = Client()
    client.force_login(alice)
    issuer.agree(start(client, personal))
    sent = state.encode(errors="surrogateescape")
    answer = client.get(f"{PAGE}back", {"state": sent, "code": "code-1"}, follow=True)
    assert answer.status_code == 200
    assert "not the answer to what you began" in answer.content.decode()
    assert not McpAccount.objects.filter(user=alice).exists()
