"""An answer that a limit of its run ended goes on with all that is known, once, for who asked."""

import asyncio

import pytest
from django.http import Http404

from accounts import services as sharing
from agents.models import Agent, RunStep, ToolExecution
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, ToolCalling, ToolOutput
from agents.types import PackedPassage
from chat.errors import AlreadyContinued, NotAnAnswerable
from chat.models import Message, Turn
from chat.services import start_turn
from chat.thread import list_thread
from chat.turns.runner import run_with_memory
from gateway.routing.routes import forget_routes
from knowledge.models import Chunk
from knowledge.retrieval.surroundings import passage_of
from knowledge.types import Passage
from observability.db import run_sync
from tests.support.attached import attached
from tests.support.model_server import Script, calling, model_server

from .stage import connected, play, running
from .test_runner import finished
from .test_tools import crash, ended

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)
RAN: list[str] = []
FOUND: dict[str, Passage] = {}
HELD: list[asyncio.Event] = []


async def look(calling: ToolCalling, words: str) -> ToolOutput:
    """Look something up."""
    RAN.append(words)
    if words == "hold" and HELD:
        HELD[0].set()
        await asyncio.sleep(3600 if RAN.count("hold") == 1 else 0)
    packed = [PackedPassage(0, (FOUND[words],))] if words in FOUND else []
    return ToolOutput(f"about {words}", passages=tuple(packed))


@pytest.fixture(autouse=True)
def agent(alice, model_server, monkeypatch, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    for name in ("ferry", "train"):
        document = attached(alice, f"The {name} leaves at noon.", f"{name}.md")
        FOUND[name] = passage_of(Chunk.objects.get(document=document))
    RAN.clear()
    HELD.clear()
    forget_routes()
    monkeypatch.setattr(
        registry, "TOOLS",
        {"look": tool_of(look, title="Look", effect=Effect.READS, timeout=7200)},
    )  # fmt: skip
    connected(alice, model_server, Script(text="Done."))
    yield Agent.objects.create(
        owner=alice, name="Doer", slug="doer", max_passages=0, tools=["look"],
        limits={"steps": 3},
    )  # fmt: skip
    forget_routes()


def answered(alice, **wishes):
    """A turn, when it has ended."""
    found = []

    async def scenario():
        async with running(run_with_memory):
            text = "" if "continues" in wishes else "Go."
            turn = await run_sync(
                start_turn, alice, wishes.pop("conversation", None), text, **wishes
            )
            found.append(await finished(turn))

    play(scenario)
    return found[0]


def cut_short(alice, model_server, **fields):
    """An answer at the limit of two calls: `ferry` was looked up, and `train`."""
    model_server.queue(
        calling(("look", {"words": "ferry"}), text="First."),
        calling(("look", {"words": "train"}), text="Then."),
        Script(text="Not all yet [1].", **fields),
    )
    return answered(alice, agent="doer")


def go_on(alice, turn, **wishes):
    return answered(alice, conversation=turn.conversation_id, continues=turn.answer_id, **wishes)


def behind(sent):
    messages = sent["messages"]
    question = next(n for n, m in enumerate(messages) if "Go." in str(m["content"]))
    return [(m["role"], str(m["content"])) for m in messages[question + 1 :]]


def continuable(turn, person):
    (shown,) = [s for s in list_thread(turn.conversation, person) if s.data]
    return shown.data["can_continue"]


def test_it_knows_all_that_was_said_and_found_and_has_fresh_limits(alice, model_server):
    first = cut_short(alice, model_server)
    assert "limit" in str(first.answer.notice)
    assert first.answer.text == "First.\n\nThen.\n\nNot all yet [1]."
    assert continuable(first, alice)
    model_server.queue(
        calling(("look", {"words": "ferry"}), text="Once more."), Script(text="All [1][2].")
    )
    second = go_on(alice, first)
    assert second.status == "completed"
    assert second.answer.text == f"{first.answer.text}\n\nOnce more.\n\nAll [1][2]."
    assert RAN == ["ferry", "train", "ferry"]  # nothing was called again but what it wanted anew
    sent = behind(model_server.chat_requests[3])
    assert [role for role, _ in sent] == [
        "assistant", "tool", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert 'n="1"' in sent[1][1]
    assert 'n="2"' in sent[3][1]
    again = behind(model_server.chat_requests[4])[-1][1]
    assert 'n="1"' in again  # what is found again keeps the number it had before
    assert not continuable(first, alice)
    assert second.answer.parent_id == first.answer.parent_id  # another version of it


def test_over_a_crash_it_goes_on_where_it_was(alice, model_server):
    first = cut_short(alice, model_server)
    model_server.queue(calling(("look", {"words": "hold"}), text="Once more."))

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await run_sync(
                start_turn, alice, first.conversation_id, "", continues=first.answer_id
            )
            await HELD[0].wait()
            await run_sync(crash, turn)
            async with running(run_with_memory):
                turn = await ended(turn)
            assert turn.answer.text == f"{first.answer.text}\n\nOnce more.\n\nDone."

    play(scenario)
    assert RAN == ["ferry", "train", "hold", "hold"]
    assert ToolExecution.objects.count() == 3


def test_one_that_was_gone_on_with_is_gone_on_with_again(alice, model_server):
    first = cut_short(alice, model_server)
    model_server.queue(
        calling(("look", {"words": "c"}), text="C."),
        calling(("look", {"words": "d"}), text="D."),
        Script(text="Still not."),
    )
    second = go_on(alice, first)
    third = go_on(alice, second)
    assert third.answer.text == f"{first.answer.text}\n\nC.\n\nD.\n\nStill not.\n\nDone."
    sent = behind(model_server.chat_requests[-1])
    assert [text for role, text in sent if role == "user"] == [sent[-1][1]] * 2
    assert RunStep.objects.filter(run_id=second.pk).count() == 3


def test_only_once_and_only_for_who_asked(alice, bob, model_server, api_for):
    first = cut_short(alice, model_server)
    sharing.share(first.conversation, bob, "editor", by=alice)
    assert not continuable(first, bob)
    place = first.conversation_id
    with pytest.raises(NotAnAnswerable):
        start_turn(bob, place, "", continues=first.answer_id)
    path, body = f"/conversations/{place}/turns", {"continues": str(first.answer_id)}
    key = {"headers": {"Idempotency-Key": "k"}}
    made = api_for(alice).post(path, body, **key)
    assert (made.status_code, api_for(alice).post(path, body, **key).json()) == (202, made.json())
    with pytest.raises(AlreadyContinued):
        start_turn(alice, place, "", continues=first.answer_id)
    assert api_for(alice).post(path, body).status_code == 409
    assert Turn.objects.filter(continues=first.answer_id).count() == 1
    with pytest.raises(Http404):
        start_turn(bob, None, "", continues=first.answer_id)


def test_an_answer_that_ended_by_itself_is_not_gone_on_with(alice, model_server):
    turn = answered(alice, agent="doer")
    assert not continuable(turn, alice)
    with pytest.raises(NotAnAnswerable):
        start_turn(alice, turn.conversation_id, "", continues=turn.answer_id)
    assert Message.objects.filter(role="assistant").count() == 1


def test_others_go_on_from_the_text_alone_also_where_its_last_words_were_cut(
    alice, bob, model_server
):
    first = cut_short(alice, model_server, finish_reason="length")
    sharing.share(first.conversation, bob, "editor", by=alice)
    sharing.share(first.agent, bob, "reader", by=alice)
    theirs = go_on(bob, first)
    assert theirs.answer.text.startswith("First.\n\nThen.\n\nNot all yet ")
    sent = model_server.chat_requests[-1]["messages"]
    assert not [one for one in sent if one["role"] == "tool"]
    assert not [s for s in theirs.answer.steps if s["kind"] == "tool_called"]
    go_on(alice, first)  # it is theirs all the same
    assert [m for m in model_server.chat_requests[-1]["messages"] if m["role"] == "tool"]
    with pytest.raises(AlreadyContinued):
        start_turn(alice, first.conversation_id, "", continues=first.answer_id)


def test_where_its_steps_are_gone_its_text_is_gone_on_with(alice, model_server):
    first = cut_short(alice, model_server)
    RunStep.objects.all().delete()
    second = go_on(alice, first)
    assert second.answer.text.startswith("First.\n\nThen.\n\nNot all yet ")
    assert "Not all yet" in str(model_server.chat_requests[-1]["messages"])
    assert RAN == ["ferry", "train"]
