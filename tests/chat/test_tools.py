"""A turn whose agent calls tools: its events, what is kept, waiting for a person, going on after a
crash. A real runner, a real agent, a scripted model."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from agents.approvals import services as approvals
from agents.approvals.models import Approval
from agents.models import Agent, RunStep, ToolExecution
from agents.running import keeping
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput
from chat.models import Message, Turn
from chat.retention import deletion
from chat.services import start_turn, stop_turn
from chat.turns.noting import wind_up
from chat.turns.progress import rebuild
from chat.turns.runner import run_with_memory
from events import log
from events.models import Event, Stream
from gateway.routing.routes import forget_routes
from observability.db import run_sync
from security.ids import first_id_at, new_id
from tests.support.model_server import Script, calling, model_server

from .stage import connected, play, running, socket
from .test_runner import finished, kinds

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)

RAN: Counter[str] = Counter()
HELD: list[asyncio.Event] = []


async def double(calling: ToolCalling, number: int) -> str:
    """Twice as much."""
    RAN["double"] += 1
    return str(2 * number)


async def secret(calling: ToolCalling) -> ToolOutput:
    """What not everybody may read."""
    return ToolOutput("the vault is open", taints=frozenset({Taint.PRIVATE}))


async def hold(calling: ToolCalling) -> str:
    """Takes for ever, the first time."""
    RAN["hold"] += 1
    if RAN["hold"] == 1:
        HELD[0].set()
        await asyncio.sleep(3600)
    return "held"


async def write(calling: ToolCalling, text: str) -> str:
    """Write something down."""
    RAN[f"write {text}"] += 1
    if HELD and not HELD[0].is_set():
        HELD[0].set()
        await asyncio.sleep(3600)
    return f"written: {text}"


@pytest.fixture(autouse=True)
def agent(alice, model_server, monkeypatch):
    RAN.clear()
    HELD.clear()
    forget_routes()
    made = [
        tool_of(double, title="Double", effect=Effect.NONE),
        tool_of(secret, title="Secret", effect=Effect.READS),
        tool_of(hold, title="Hold", effect=Effect.READS, timeout=7200),
        tool_of(write, title="Write", effect=Effect.CHANGES, timeout=7200),
    ]
    monkeypatch.setattr(registry, "TOOLS", {one.name: one for one in made})
    connected(alice, model_server, Script(text="Done."))
    agent = Agent.objects.create(
        owner=alice, name="Doer", slug="doer", max_passages=0,
        tools=["double", "secret", "hold", "write"],
    )  # fmt: skip
    yield agent
    forget_routes()


def ask(alice, text="Do it."):
    return run_sync(start_turn, alice, None, text, agent="doer")


async def until(condition, seconds=20):
    """What `condition` finds, as soon as that is something."""
    async with asyncio.timeout(seconds):
        while not (found := await run_sync(condition)):  # noqa: ASYNC110 - a row of another
            await asyncio.sleep(0.05)
        return found


def waiting(turn):
    is_waiting = Turn.objects.filter(pk=turn.pk, status=Turn.Status.WAITING).exists()
    return is_waiting and Approval.objects.filter(run_id=turn.pk, status="waiting").first()


def decide(alice, approval, answer="approve"):
    approvals.decide(alice, approval.pk, answer, approval.digest)


async def ended(turn):
    """The turn, whoever brought it to its end."""
    closed = Turn.objects.filter(pk=turn.pk, finished_at__isnull=False).select_related("answer")
    return await until(closed.first)


def crash(turn):
    """The runner that held it is gone: its lease ends now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update events_stream set lease_until = now() - interval '1 s' where id = %s", [turn.pk]
        )


def test_calls_are_told_kept_and_there_after_a_reload(alice, model_server):
    model_server.queue(
        calling(("double", {"number": 4}), ("secret", {}), text="Well."), Script(text="Eight.")
    )

    async def scenario():
        async with running(run_with_memory), socket(alice) as tab:
            accepted = await tab.ask("Do it.", agent="doer")
            await tab.until("message_completed")
            stream = accepted["turn_id"]
            tools = [e for e in tab.events(stream) if e["kind"].startswith("tool_")]
            assert [e["kind"] for e in tools[:2]] == ["tool_called"] * 2
            assert tools[0]["data"]["title"] == "Double"
            told = {e["data"]["call_id"]: e["data"] for e in tools[2:]}
            assert {one["text"] for one in told.values()} == {"8", ""}  # the secret is nobody's
            assert sorted(one["is_private"] for one in told.values()) == [False, True]
            assert tab.text(stream) == "Well.\n\nEight."
            return stream

    play(scenario)
    answer = Message.objects.get(role="assistant")
    assert answer.text == "Well.\n\nEight."
    steps = [step["kind"] for step in answer.steps if step["kind"].startswith("tool_")]
    assert sorted(steps) == ["tool_called"] * 2 + ["tool_completed"] * 2
    assert "vault" not in str(answer.steps)
    found = {one.tool: one for one in ToolExecution.objects.all()}
    assert (found["double"].output, found["double"].status) == ("8", "done")
    assert found["secret"].output == "the vault is open"
    assert found["secret"].taints == ["private"]
    assert RunStep.objects.get().text == "Well."
    turn = Turn.objects.get()
    rebuilt = rebuild(log.read_all(turn.pk))
    assert [step["kind"] for step in rebuilt.steps] == [
        step["kind"] for step in answer.steps if not step["kind"].endswith("_kept")
    ]


def test_an_approved_call_is_made_once_and_the_answer_goes_on(alice, model_server):
    model_server.queue(
        calling(("double", {"number": 1}), ("write", {"text": "a"}), text="Let me."),
        Script(text="Written."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            approval = await until(lambda: waiting(turn))
            assert "tool_approval_requested" in await run_sync(kinds, turn)
            assert not RAN["write a"]
            stream = await run_sync(Stream.objects.get, pk=turn.pk)
            assert (stream.state, stream.holder) == ("waiting", "")
        async with running(run_with_memory):  # a restart in between loses nothing
            await run_sync(decide, alice, approval)
            turn = await finished(turn)
        assert turn.answer.text == "Let me.\n\nWritten."
        assert (RAN["write a"], RAN["double"]) == (1, 1)
        assert len(model_server.chat_requests) == 2  # nothing that was said is asked again

    play(scenario)
    assert ToolExecution.objects.get(tool="write").approval_id == Approval.objects.get().pk


def test_nobody_is_asked_any_more_about_a_call_whose_answer_has_ended(alice, model_server):
    """Whatever ended it; where its runner died then, the clock takes the question back."""
    model_server.queue(calling(("write", {"text": "a"})))

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            approval = await until(lambda: waiting(turn))
        await run_sync(Stream.objects.filter(pk=turn.pk).update, state=Stream.State.CLOSED)
        await run_sync(approvals.sweep)
        await run_sync(approval.refresh_from_db)
        assert approval.status == "expired"
        assert await run_sync(approvals.count_waiting, alice) == 0
        again = await run_sync(store, approval)
        await run_sync(wind_up, turn.pk, "failed")
        await run_sync(again.refresh_from_db)
        assert again.status == "expired"

    def store(approval):
        approval.pk, approval.attempt, approval.status = new_id(), 2, "waiting"
        approval.save(force_insert=True)
        return approval

    play(scenario)
    assert not RAN


def test_a_call_that_is_not_approved_is_not_made(alice, model_server):
    model_server.queue(calling(("write", {"text": "a"})), Script(text="Then not."))

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            approval = await until(lambda: waiting(turn))
            await run_sync(decide, alice, approval, "deny")
            turn = await finished(turn)
            assert turn.answer.text == "Then not."

    play(scenario)
    assert not RAN
    assert ToolExecution.objects.get().status == "denied"


def test_stopping_what_waits_keeps_what_was_said(alice, model_server):
    model_server.queue(calling(("write", {"text": "a"}), text="Let me."))

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            await until(lambda: waiting(turn))
            await run_sync(stop_turn, alice, turn.pk)
            turn = await finished(turn)
            assert (turn.status, turn.answer.text) == ("stopped", "Let me.")

    play(scenario)
    assert not RAN


def test_a_call_that_a_stop_cuts_off_says_so(alice, model_server):
    model_server.queue(calling(("write", {"text": "a"}), ("hold", {}), text="Let me."))

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice)
            await run_sync(decide, alice, await until(lambda: waiting(turn)))
            await HELD[0].wait()
            await run_sync(stop_turn, alice, turn.pk)
            turn = await finished(turn)
            assert (turn.status, turn.answer.text) == ("stopped", "Let me.")

    play(scenario)
    assert RAN == {"write a": 1}
    cut = ToolExecution.objects.get()
    assert (cut.tool, cut.status) == ("write", "stopped")
    assert cut.finished_at
    steps = Message.objects.get(role="assistant").steps
    ended = [step["data"] for step in steps if step["kind"] == "tool_completed"]
    assert [(one["call_id"], one["status"]) for one in ended] == [(cut.call_id, "stopped")]


def test_a_call_whose_run_nobody_knows_is_cut_off_after_an_hour(alice):
    long_ago = first_id_at(timezone.now() - keeping.ABANDONED - timedelta(minutes=1))
    for pk in (long_ago, new_id()):
        ToolExecution.objects.create(id=pk, run_id=new_id(), call_id="c", tool="t", owner=alice)
    keeping.sweep()
    found = ToolExecution.objects.order_by("pk").values_list("status", flat=True)
    assert list(found) == ["stopped", "running"]


def test_several_questions_one_after_the_other(alice, model_server):
    """More of them than a turn has attempts."""
    model_server.queue(*[calling(("write", {"text": str(n)})) for n in range(4)])

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            for _ in range(4):
                approval = await until(lambda: waiting(turn))
                await run_sync(decide, alice, approval)
            turn = await finished(turn)
            assert (turn.status, turn.answer.text) == ("completed", "Done.")

    play(scenario)
    assert {f"write {n}": 1 for n in range(4)} == RAN


def test_a_run_whose_runner_died_in_a_tool_goes_on(alice, model_server):
    model_server.queue(
        calling(("double", {"number": 1}), text="One."), calling(("hold", {}), text="Two.")
    )

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice)
            await HELD[0].wait()
            await run_sync(crash, turn)
            async with running(run_with_memory):
                turn = await ended(turn)
            assert turn.answer.text == "One.\n\nTwo.\n\nDone."
        assert RAN == {"double": 1, "hold": 2}
        assert len(model_server.chat_requests) == 3

    play(scenario)


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("text_delta", Script(text="42. " * 9, hang_after=4)),
        ("reasoning_delta", Script(text="", reasoning="Let me think. " * 9, hang_after=4)),
    ],
)
def test_a_number_or_thoughts_that_nobody_kept_are_not_said_twice(
    alice, model_server, kind, script
):
    """Readers have them, and no step is behind them: the answer ends there."""
    model_server.queue(script)

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            await until(Event.objects.filter(stream=turn.pk, kind=kind).exists)
            await run_sync(crash, turn)
            async with running(run_with_memory):
                found.append(await ended(turn))

    found = []
    play(scenario)
    assert found[0].status == "interrupted"
    assert set(found[0].answer.text.split()) <= {"42."}
    assert len(model_server.chat_requests) == 1


def test_a_call_that_acts_and_was_cut_off_is_asked_about_anew(alice, model_server):
    model_server.queue(calling(("write", {"text": "a"})))

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice)
            await run_sync(decide, alice, await until(lambda: waiting(turn)))
            await HELD[0].wait()
            await run_sync(crash, turn)
            async with running(run_with_memory):
                again = await until(lambda: waiting(turn))
                assert again.attempt == 2
                assert RAN["write a"] == 1
                await run_sync(decide, alice, again)
                turn = await ended(turn)
            assert turn.answer.text == "Done."

    play(scenario)
    assert RAN["write a"] == 2
    assert ToolExecution.objects.get().attempts == 2


def test_an_agent_without_tools_writes_no_steps(alice, model_server):
    Agent.objects.filter(slug="doer").update(tools=[])

    async def scenario():
        async with running(run_with_memory):
            await finished(await ask(alice))

    play(scenario)
    assert not RunStep.objects.exists()
    assert "tools" not in model_server.chat_requests[0]


def test_results_lose_the_words_of_deleted_documents_and_are_not_kept_for_ever(alice):
    quoted, gone = new_id(), new_id()
    old = first_id_at(timezone.now() - keeping.KEPT - timedelta(days=1))
    common = {"owner": alice, "tool": "t", "output": "words"}
    for n, documents in enumerate([[quoted], [gone, quoted]]):
        ToolExecution.objects.create(
            run_id=new_id(), call_id=str(n), documents=documents, passages=[1], **common
        )
    ToolExecution.objects.create(id=old, run_id=new_id(), call_id="old", **common)
    RunStep.objects.create(id=old, run_id=new_id(), owner=alice, ordinal=1)
    keeping.forget_documents({gone})
    assert keeping.sweep() == 1
    left = ToolExecution.objects.order_by("call_id").values_list("call_id", "output", "passages")
    assert list(left) == [("0", "words", [1]), ("1", "", [])]
    assert not RunStep.objects.exists()


def test_what_runs_did_goes_with_its_conversation(alice, model_server):
    model_server.queue(calling(("double", {"number": 1})))

    async def scenario():
        async with running(run_with_memory):
            return await finished(await ask(alice))

    play(scenario)
    turn = Turn.objects.get()
    assert ToolExecution.objects.count() == RunStep.objects.count() == 1
    deletion.remove([turn.conversation_id])
    assert not ToolExecution.objects.exists()
    assert not RunStep.objects.exists()
