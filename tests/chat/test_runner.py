"""Turns from question to stored answer, in a real runner on real servers, with a scripted agent."""

import asyncio

import pytest
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext

from agents.models import Agent
from agents.services import keep_limit
from agents.types import (
    CitationAdded,
    EndpointSwitched,
    Finished,
    TextDelta,
    ToolApprovalRequested,
)
from chat import services
from chat.models import Citation, Turn
from chat.retention import deletion
from chat.services import start_turn
from chat.spoken import error_of, notice_of
from events import leases, log
from events.hub import current_hub
from events.models import Event, Stream
from events.types import LeaseLost
from gateway.errors import UpstreamFailed
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.models import Collection, Document, Source
from observability.db import run_sync
from security.ids import new_id

from .stage import TEXT, ScriptedAgent, play, running

pytestmark = pytest.mark.django_db(transaction=True)


async def finished(turn, seconds=20):
    """The turn once its stream is closed."""
    async with asyncio.timeout(seconds):
        async for _row in current_hub().subscribe(turn.pk):
            pass
    return await run_sync(Turn.objects.select_related("answer").get, pk=turn.pk)


def logged_text(turn):
    rows = log.read_all(turn.pk)
    return "".join(row.payload["text"] for row in rows if row.kind == "text_delta")


def kinds(turn):
    found = Event.objects.filter(stream=turn.pk).order_by("seq").values_list("kind", flat=True)
    return [kind for kind in found if kind != "text_delta"]


def expire(turn_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "update events_stream set lease_until = now() - interval '1 s' where id = %s", [turn_id]
        )


def test_an_answer_is_streamed_stored_and_closed_together(alice):
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf,
        source=source,
        title="Sky",
        file_name="sky.txt",
        media_type="text/plain",
        size=3,
        sha256="0" * 64,
    )
    gone = new_id()
    citations = [
        CitationAdded(1, pk, new_id(), "Sky", ("Light",), "blue", 0, 4, 2)
        for pk in (document.pk, gone)
    ]

    async def scenario():
        async with running(ScriptedAgent(citations=citations)):
            turn = await run_sync(start_turn, alice, None, "Why?")
            turn = await finished(turn)
            assert (turn.status, turn.answer.status) == ("completed", "complete")
            assert (turn.answer.text, turn.answer.model_name) == (TEXT, "scripted")
            assert turn.answer.usage["completion_tokens"] == 20
            assert [step["kind"] for step in turn.answer.steps] == ["retrieval_completed"]
            assert await run_sync(logged_text, turn) == TEXT
            assert await run_sync(kinds, turn) == [
                "turn_started",
                "retrieval_completed",
                "citation_added",
                "citation_added",
                "usage_recorded",
                "message_completed",
            ]

    play(scenario)
    citation = Citation.objects.get()
    assert (citation.document, citation.quote, citation.page) == (document, "blue", 2)
    assert citation.heading_path == ["Light"]


def test_history_reaches_the_agent_along_the_path(alice):
    async def scenario():
        agent = ScriptedAgent(words=["Blue."])
        async with running(agent):
            first = await finished(await run_sync(start_turn, alice, None, "Sky?"))
            talk = first.conversation_id
            await finished(await run_sync(start_turn, alice, talk, "Grass?"))
            edited = await run_sync(start_turn, alice, talk, "Sea?", parent=first.answer_id)
            await finished(edited)
        assert [m.text for m in agent.tasks[2].history] == ["Sky?", "Blue."]
        assert [m.role for m in agent.tasks[1].history] == ["user", "assistant"]
        assert agent.tasks[0].history == ()
        assert agent.tasks[0].user.pk == alice.pk

    play(scenario)


def test_a_choice_of_collections_reaches_the_agent_also_when_they_are_gone(alice, builtin):
    shelves = [Collection.objects.create(owner=alice, name=f"Shelf {n}") for n in range(3)]
    ids = [shelf.pk for shelf in shelves]
    first = start_turn(alice, None, "One?", collections=ids[:2])
    builtin.collections.set(ids[2:])
    keep_limit(builtin)
    later = [
        start_turn(alice, first.conversation_id, "Usual?"),
        start_turn(alice, services.create_conversation(alice).pk, "Everywhere?"),
    ]
    shelves[0].delete()
    shelves[2].delete()

    async def scenario():
        agent = ScriptedAgent(words=["Blue."])
        async with running(agent):
            for turn in (first, *later):
                await finished(turn)
        seen = {task.question: task for task in agent.tasks}
        for question in ("One?", "Usual?"):
            assert (seen[question].collections, seen[question].is_limited) == ((ids[1],), True)
        assert (seen["Everywhere?"].collections, seen["Everywhere?"].is_limited) == ((), False)
        assert all(task.has_lost_its_collections for task in agent.tasks)
        assert {(task.agent.collections, task.agent.is_limited) for task in agent.tasks} == {
            ((), True)
        }

    play(scenario)


def test_stop_is_quick_closes_upstream_and_keeps_what_was_said(alice, monkeypatch):
    """Heard of at once, not found out by the next look."""
    monkeypatch.setattr("chat.turns.runner.LOOK_SECONDS", 60)

    async def scenario():
        agent = ScriptedAgent(hold_after=10)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Long?")
            await agent.held.wait()
            await run_sync(services.stop_turn, alice, turn.pk)
            async with asyncio.timeout(20):
                await agent.closed.wait()
            turn = await finished(turn)
        assert (turn.status, turn.answer.status) == ("stopped", "stopped")
        assert turn.answer.text == "".join(agent.words[:10])
        assert notice_of(turn.answer) == "The answer was stopped before its end."
        assert (await run_sync(kinds, turn))[-1] == "turn_stopped"

    play(scenario)


SWITCHED = EndpointSwitched("here", "offline", "connection-failed", "It is down.")


@pytest.mark.parametrize(
    ("switch", "asked", "model"),
    [(None, "", "big"), (None, "small", "small"), (SWITCHED, "", "offline"), (None, "none", "big")],
)
def test_an_answer_that_ends_early_says_which_model_wrote_it(alice, builtin, switch, asked, model):
    endpoint = Endpoint.objects.create(name="here", base_url="http://127.0.0.1:9/v1")
    for name in ("big", "small"):
        made = Model.objects.create(name=name, is_default=name == "big")
        Deployment.objects.create(model=made, endpoint=endpoint, upstream_name=name)
    Agent.objects.filter(pk=builtin.pk).update(model_name=asked)
    forget_routes()

    async def agent(task):
        if switch:
            yield switch
        yield TextDelta("Half")
        await asyncio.Event().wait()

    async def scenario():
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Long?")
            async for row in current_hub().subscribe(turn.pk):
                if row.kind == "text_delta":
                    await run_sync(services.stop_turn, alice, turn.pk)
            assert (await finished(turn)).answer.model_name == model

    play(scenario)
    forget_routes()


def test_a_quoted_answer_enters_history_as_that_only(alice):
    async def scenario():
        agent = ScriptedAgent(words=["Memo says: obey."], model="offline")
        async with running(agent):
            first = await finished(await run_sync(start_turn, alice, None, "What?"))
            await finished(await run_sync(start_turn, alice, first.conversation_id, "And?"))
        assert [(m.role, m.is_quoted) for m in agent.tasks[1].history] == [
            ("user", False),
            ("assistant", True),
        ]

    play(scenario)


def test_a_lost_doorbell_delays_a_stop_by_a_second(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Long?")
            await agent.held.wait()
            await run_sync(
                Turn.objects.filter(pk=turn.pk).update, stop_requested_at=turn.created_at
            )
            assert (await finished(turn, 5)).status == "stopped"

    play(scenario)


def test_disabling_a_person_stops_their_turns(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Long?")
            await agent.held.wait()
            alice.is_active = False
            await run_sync(alice.save)
            assert (await finished(turn, 5)).status == "stopped"

    play(scenario)


def test_a_model_that_fails_and_a_bug_are_told_apart(alice):
    async def scenario():
        async with running(ScriptedAgent(error=UpstreamFailed("out of memory"))):
            turn = await finished(await run_sync(start_turn, alice, None, "One?"))
            assert (turn.status, turn.answer.status) == ("failed", "failed")
            assert turn.error["type"] == UpstreamFailed.type
            assert "out of memory" in error_of(turn.error)["detail"]
            assert turn.answer.text == TEXT
        async with running(ScriptedAgent(error=ValueError("secret detail"))):
            turn = await finished(await run_sync(start_turn, alice, None, "Two?"))
            assert turn.error["type"] == "internal-error"
            assert "secret" not in str(turn.error)

    play(scenario)


def test_an_answer_that_is_finished_waits_for_nobody(alice):
    """A rule may end it while a call of it waits."""

    async def agent(task):
        yield TextDelta("Well.")
        yield ToolApprovalRequested(
            "call_1", new_id(), "write", "Write", "changes", "{}", "", "2030-01-01T00:00:00Z"
        )
        yield Finished("Well.", "scripted", is_offline=False, notice="")

    async def scenario():
        async with running(agent):
            turn = await finished(await run_sync(start_turn, alice, None, "One?"))
            assert (turn.status, turn.answer.text) == ("completed", "Well.")

    play(scenario)


def test_a_deleted_conversation_ends_its_turn(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent, lease=0.3):
            turn = await run_sync(start_turn, alice, None, "Long?")
            await agent.held.wait()
            await run_sync(deletion.delete_conversation, alice, turn.conversation_id)
            await agent.closed.wait()
        turn = await run_sync(Turn.objects.get)
        assert (turn.status, turn.stop_requested_at is None) == ("stopped", False)

    play(scenario)


def test_a_turn_of_a_dead_runner_that_said_nothing_is_begun_again(alice):
    turn = start_turn(alice, None, "Anyone?")
    claim = leases.claim_one(turn.pk, "dead")
    log.append(turn.pk, claim.fence, [("turn_started", {}), ("retrieval_completed", {})])
    expire(turn.pk)

    async def scenario():
        async with running(ScriptedAgent()):
            done = await finished(turn)
            assert (done.status, done.answer.text) == ("completed", TEXT)

    play(scenario)
    assert kinds(turn).count("turn_started") == 2


def test_a_turn_of_a_dead_runner_that_had_spoken_is_closed_with_its_partial_text(alice):
    turn = start_turn(alice, None, "Anyone?")
    claim = leases.claim_one(turn.pk, "dead")
    steps = {"query": "Anyone?", "took_ms": 1, "passages": []}
    said = [
        ("turn_started", {}),
        ("retrieval_completed", steps),
        ("text_delta", {"text": "Half an "}),
        ("text_delta", {"text": "answer"}),
    ]
    log.append(turn.pk, claim.fence, said)
    expire(turn.pk)

    async def scenario():
        agent = ScriptedAgent()
        async with running(agent):
            done = await finished(turn)
            assert (done.status, done.answer.status) == ("interrupted", "interrupted")
            assert done.answer.text == "Half an answer"
            assert notice_of(done.answer) == "The server stopped in mid-answer."
            assert done.answer.model_name == "offline"  # nothing is connected
            assert done.answer.steps == [{"kind": "retrieval_completed", "data": steps}]
        assert agent.tasks == []

    play(scenario)
    with pytest.raises(LeaseLost):
        log.append(turn.pk, claim.fence, [("text_delta", {"text": "zombie"})])


def test_a_runner_whose_lease_is_gone_stops_and_writes_nothing(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=3)
        async with running(agent, lease=0.3):
            turn = await run_sync(start_turn, alice, None, "Mine?")
            await agent.held.wait()
            await run_sync(Stream.objects.filter(pk=turn.pk).update, fence=9, holder="thief")
            await agent.closed.wait()
        assert (await run_sync(Stream.objects.get, pk=turn.pk)).state == "running"
        assert (await run_sync(Turn.objects.get, pk=turn.pk)).status == "running"

    play(scenario)


def test_f30_a_runner_that_slept_longer_than_its_lease_does_not_race_itself(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=3)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Mine?")
            await agent.held.wait()
            await run_sync(expire, turn.pk)
            other = await run_sync(start_turn, alice, None, "Claimed in a later look?")
            for _ in range(2):
                await agent.arrivals.get()
            agent.go_on.set()
            done = [await finished(turn), await finished(other)]
        assert [(turn.status, turn.answer.text) for turn in done] == [("completed", TEXT)] * 2
        assert (await run_sync(Stream.objects.get, pk=turn.pk)).fence == 1

    play(scenario)


def test_a_runner_told_to_stop_finishes_interrupts_or_hands_back(alice):
    alice.language = "zh-hans"
    alice.save()
    with translation.override("zh-hans"):
        restarted = gettext("The server was restarted.")
    assert restarted != "The server was restarted."

    async def scenario():
        quick, spoken, silent = (
            ScriptedAgent(pause=0.01),
            ScriptedAgent(hold_after=2),
            ScriptedAgent(hold_after=0),
        )
        agents = {"quick": quick, "spoken": spoken, "silent": silent}

        def choose(task):
            return agents[task.question](task)

        async with running(choose, drain=1.0) as runner:
            turns = {name: await run_sync(start_turn, alice, None, name) for name in agents}
            await spoken.held.wait()
            await silent.held.wait()
            began = asyncio.get_running_loop().time()
            runner.stop()
            assert (await finished(turns["quick"])).status == "completed"
            interrupted = await finished(turns["spoken"])
        assert asyncio.get_running_loop().time() - began < 5
        assert interrupted.status == "interrupted"
        assert interrupted.answer.text == "".join(spoken.words[:2])
        with translation.override("zh-hans"):
            assert notice_of(interrupted.answer) == restarted
        stream = await run_sync(Stream.objects.get, pk=turns["silent"].pk)
        assert (stream.state, stream.attempts) == ("queued", 0)
        async with running(ScriptedAgent()):
            assert (await finished(turns["silent"])).status == "completed"

    play(scenario)


def test_many_turns_at_once_hold_no_connection(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=5)
        async with running(agent):
            turns = [await run_sync(start_turn, alice, None, f"{n}?") for n in range(60)]
            async with asyncio.timeout(20):
                for _ in turns:
                    await agent.arrivals.get()
            pool = connection.pool
            assert pool is None or pool.get_stats().get("requests_waiting", 0) == 0
            agent.go_on.set()
            for turn in turns:
                done = await finished(turn)
                assert (done.status, done.answer.text) == ("completed", TEXT)

    play(scenario)
