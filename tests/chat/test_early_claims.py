"""A claim that is on its way to the disk: the agent may begin, and nobody is told of it."""

import asyncio

import psycopg
import pytest

from agents.types import Finished, TextDelta
from chat import services
from chat.services import start_turn
from chat.turns import runner as runner_module
from chat.turns import turn_run
from chat.turns.work import claim_turns_at_once
from observability.db import run_sync

from .stage import TEXT, ScriptedAgent, play, running
from .test_runner import expire, finished, kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(monkeypatch):
    """What the first claim waits for, in the hands of the test."""
    held = []

    async def claim(*asked):
        works, really = await claim_turns_at_once(*asked)
        if works and not held:
            await really
            held.append(asyncio.get_running_loop().create_future())
            return works, held[0]
        return works, really

    monkeypatch.setattr(runner_module, "claim_turns_at_once", claim)
    return held


def test_the_agent_begins_and_what_it_says_is_told_when_the_claim_is_there(alice, kept):
    async def scenario():
        agent = ScriptedAgent()
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            await agent.arrivals.get()
            assert await run_sync(kinds, turn) == []
            kept[0].set_result(None)
            turn = await finished(turn)
        assert (turn.status, turn.answer.text) == ("completed", TEXT)

    play(scenario)


@pytest.mark.parametrize("words", [3, 3 * turn_run.MOST_EARLY])
def test_the_model_speaks_meanwhile_as_far_as_somebody_keeps_it(alice, kept, words):
    said, most = [], min(words, turn_run.MOST_EARLY)
    has_said_most = asyncio.Event()

    async def agent(task):
        for n in range(words):
            said.append(f"{n} ")
            if len(said) == most:
                has_said_most.set()
            yield TextDelta(said[-1])
        yield Finished("".join(said), "m", is_offline=False)

    async def scenario():
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Count.")
            await has_said_most.wait()
            assert await run_sync(kinds, turn) == []
            assert len(said) == most
            kept[0].set_result(None)
            turn = await finished(turn)
        assert (turn.status, turn.answer.text) == ("completed", "".join(said))
        told = await run_sync(kinds, turn)
        assert (told[0], told[-1]) == ("turn_started", "message_completed")

    play(scenario)


def test_of_a_claim_that_was_perhaps_not_written_nothing_is_told_and_it_is_taken_up_again(
    alice, kept
):
    async def scenario():
        agent = ScriptedAgent()
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            await agent.arrivals.get()
            kept[0].set_exception(psycopg.OperationalError("the connection was lost"))
            await agent.closed.wait()
            assert await run_sync(kinds, turn) == []
            await run_sync(expire, turn.pk)
            await agent.arrivals.get()
            turn = await finished(turn)
        assert (turn.status, turn.answer.text) == ("completed", TEXT)
        assert len(agent.tasks) == 2

    play(scenario)


def test_who_stops_it_meanwhile_is_heard(alice, kept):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent):
            turn = await run_sync(start_turn, alice, None, "Why?")
            await agent.arrivals.get()
            await run_sync(services.stop_turn, alice, turn.pk)
            await agent.closed.wait()
            kept[0].set_result(None)
            turn = await finished(turn)
        assert turn.status == "stopped"

    play(scenario)


def test_a_runner_that_has_to_go_hands_back_what_nobody_was_told(alice, kept):
    async def scenario():
        agent = ScriptedAgent(hold_after=2)
        async with running(agent, drain=0.01) as runner:
            turn = await run_sync(start_turn, alice, None, "Why?")
            await agent.held.wait()
            runner.stop()
            await agent.closed.wait()
            kept[0].set_result(None)
        assert "text_delta" not in await run_sync(kinds, turn)
        again = ScriptedAgent()
        async with running(again):
            turn = await finished(turn)
        assert (turn.status, turn.answer.text) == ("completed", TEXT)

    play(scenario)


def test_who_stops_an_agent_that_is_done_already_is_told_of_a_stop(alice, kept):
    """Nothing of it was told: it was not completed."""
    is_done = asyncio.Event()

    async def agent(task):
        yield TextDelta("All of it")
        yield Finished("All of it", "m", is_offline=False)
        is_done.set()

    async def scenario():
        async with running(agent) as runner:
            turn = await run_sync(start_turn, alice, None, "Why?")
            await is_done.wait()
            (run,) = runner._turns.values()
            await asyncio.wait([run._talk])
            run.stop()
            kept[0].set_result(None)
            turn = await finished(turn)
        assert (turn.status, turn.answer.text) == ("stopped", "")
        assert await run_sync(kinds, turn) == ["turn_started", "turn_stopped"]

    play(scenario)
