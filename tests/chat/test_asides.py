"""How far a call is reaches who follows, now and after a reload, and stands nowhere later."""

import asyncio

import pytest

from agents.models import Agent
from agents.running.models import RunStep
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, ToolCalling
from chat.models import Message, Turn
from chat.turns.runner import run_with_memory
from events import log
from gateway.routing.routes import forget_routes
from tests.support.model_server import Script, calling, model_server

from .stage import connected, play, running, socket

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)

GO_ON: list[asyncio.Event] = []


async def index(calling: ToolCalling) -> str:
    """Index everything."""
    calling.tell("indexing", 3, 10)
    await GO_ON[0].wait()
    return "indexed"


@pytest.fixture(autouse=True)
def agent(alice, model_server, monkeypatch):
    GO_ON.clear()
    forget_routes()
    made = tool_of(index, title="Index", effect=Effect.READS, timeout=600)
    monkeypatch.setattr(registry, "TOOLS", {"index": made})
    connected(alice, model_server, Script(text="Done."))
    yield Agent.objects.create(
        owner=alice, name="Doer", slug="doer", max_passages=0, tools=["index"]
    )
    forget_routes()


def test_it_is_told_live_and_again_and_never_stored(alice, model_server):
    model_server.queue(calling(("index", {})))

    async def scenario():
        GO_ON.append(asyncio.Event())
        async with running(run_with_memory), socket(alice) as tab:
            turn = (await tab.ask("Do it.", agent="doer"))["turn_id"]
            aside = await tab.until("aside")
            call = next(e["data"] for e in tab.events(turn) if e["kind"] == "tool_called")
            assert aside == {
                "type": "aside", "stream": turn, "kind": "tool_progressed",
                "data": {
                    "call_id": call["call_id"], "text": "indexing", "done": 3, "total": 10
                },
            }  # fmt: skip
            async with socket(alice) as reloaded:
                await reloaded.send(type="subscribe", stream=turn, after=0)
                assert (await reloaded.until("aside"))["data"] == aside["data"]
                GO_ON[0].set()
                await reloaded.until("message_completed")
                numbers = [e["seq"] for e in reloaded.events(turn)]
                assert numbers == sorted(set(numbers))
            await tab.until("message_completed")

    play(scenario)
    assert "tool_progressed" not in {row.kind for row in log.read_all(Turn.objects.get().pk)}
    assert "indexing" not in str(Message.objects.get(role="assistant").steps)
    assert RunStep.objects.count() == 1
