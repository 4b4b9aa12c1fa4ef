"""Something said to an answer that is being written: stored, taken up once, in its place, by its
person alone; and never lost."""

import asyncio
import threading

import pytest
from django.http import Http404

from accounts import services as sharing
from agents.models import Agent, RunNote
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, ToolCalling
from chat.errors import TooLateToSay
from chat.exports.documents import as_markdown
from chat.models import Conversation, Message, Turn
from chat.services import start_turn, stop_turn
from chat.thread import list_thread
from chat.turns import noting
from chat.turns.progress import rebuild
from chat.turns.runner import run_with_memory
from events import log
from gateway.routing.routes import forget_routes
from observability.db import run_sync
from tests.support.model_server import Script, calling, model_server

from .stage import connected, play, running, socket
from .test_runner import finished, logged_text
from .test_tools import crash, ended, until

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)
SAID = "Look also at the contracts."
HELD: dict[str, asyncio.Event] = {}


async def hold(calling: ToolCalling, name: str) -> str:
    """Says that it runs, and waits until it is let go."""
    HELD["begun"].set()
    await HELD["go on"].wait()
    return f"held {name}"


@pytest.fixture(autouse=True)
def agent(alice, model_server, monkeypatch):
    HELD.clear()
    forget_routes()
    made = tool_of(hold, title="Hold", effect=Effect.READS, timeout=7200)
    monkeypatch.setattr(registry, "TOOLS", {"hold": made})
    connected(alice, model_server, Script(text="Done."))
    yield Agent.objects.create(
        owner=alice, name="Doer", slug="doer", max_passages=0, tools=["hold"]
    )
    forget_routes()


def begin():
    HELD.update({"begun": asyncio.Event(), "go on": asyncio.Event()})


def told(sent):
    """What stands in a request behind the question."""
    messages = sent["messages"]
    question = next(n for n, m in enumerate(messages) if "Do it." in str(m["content"]))
    return [(m["role"], m["content"]) for m in messages[question + 1 :]]


def test_a_note_is_known_from_the_next_step_on_and_stands_in_its_place(alice, model_server):
    model_server.queue(calling(("hold", {"name": "a"}), text="Let me see."))

    async def scenario():
        begin()
        async with running(run_with_memory), socket(alice) as tab:
            accepted = await tab.ask("Do it.", agent="doer")
            await HELD["begun"].wait()
            turn = accepted["turn_id"]
            for _ in range(2):  # a frame that comes again is the same note
                await tab.send(type="turn.steer", id="n1", turn_id=turn, text=SAID)
                noted = await tab.until("noted", "refused")
                assert (noted["id"], noted["turn_id"]) == ("n1", turn)
            HELD["go on"].set()
            await tab.until("message_completed")
            (started,) = [e for e in tab.events(turn) if e["kind"] == "turn_started"]
            assert started["data"]["takes_notes"]
            (taken,) = [e for e in tab.events(turn) if e["kind"] == "note_taken"]
            assert taken["data"] == {"note_id": noted["note_id"], "text": SAID}

    play(scenario)
    sent = model_server.chat_requests[1]
    assert [role for role, _ in told(sent)] == ["assistant", "tool", "user"]
    assert told(sent)[-1] == ("user", SAID)  # the person's word: no fence around it
    answer = Message.objects.get(role="assistant")
    kinds = [s["kind"] for s in answer.steps if s["kind"] in {"tool_completed", "note_taken"}]
    assert kinds == ["tool_completed", "note_taken"]
    assert rebuild(log.read_all(answer.turn.pk)).steps[-1]["kind"] == "note_taken"
    (shown,) = [s for s in list_thread(answer.conversation, alice) if s.data]
    assert {"note_id": str(RunNote.objects.get().pk), "text": SAID} in [
        s["data"] for s in shown.data["steps"]
    ]
    assert shown.is_mine
    assert SAID in as_markdown(alice, answer.conversation_id)


def asked(alice, text="Do it.", agent="doer", conversation=None):
    return run_sync(start_turn, alice, conversation, text, agent=agent)


def held_script(text):
    """Words of which the rest waits, and what lets it go."""
    go_on = threading.Event()
    return Script(text=text, token_size=3, hang_after=2, go_on=go_on), go_on


async def is_speaking(model_server, requests, turn):
    await until(lambda: len(model_server.chat_requests) == requests and logged_text(turn))


def test_a_note_to_the_last_words_is_answered_before_the_end(alice, model_server):
    last, go_on = held_script("First of it.")
    model_server.queue(calling(("hold", {"name": "a"})), last, Script(text="Last."))

    async def scenario():
        begin()
        HELD["go on"].set()
        async with running(run_with_memory):
            turn = await asked(alice)
            await is_speaking(model_server, 2, turn)
            await run_sync(noting.say, alice, turn.pk, SAID)
            go_on.set()
            turn = await finished(turn)
            assert turn.answer.text == "First of it.\n\nLast."

    play(scenario)
    *_, said, note = told(model_server.chat_requests[2])
    assert (said, note) == (("assistant", "First of it."), ("user", SAID))
    assert RunNote.objects.get().step == 2
    assert Turn.objects.count() == 1


@pytest.mark.parametrize("tools", [["hold"], []])
def test_what_nobody_takes_up_is_the_next_question(alice, agent, model_server, tools):
    """At the limit of a run, and where there are no tools and so no steps."""
    Agent.objects.update(tools=tools, limits={"steps": 2})
    words, go_on = held_script("All I know.")
    model_server.queue(*([calling(("hold", {"name": "a"}))] if tools else []), words)

    async def scenario():
        begin()
        HELD["go on"].set()
        async with running(run_with_memory):
            turn = await asked(alice)
            await is_speaking(model_server, 2 if tools else 1, turn)
            first = await run_sync(noting.say, alice, turn.pk, SAID)
            await run_sync(noting.say, alice, turn.pk, "And the letters.")
            go_on.set()
            await finished(turn)
            following = await until(lambda: Turn.objects.exclude(pk=turn.pk).first())
            following = await finished(following)
            assert following.answer.text == "Done."
            await run_sync(first.refresh_from_db)
            assert (first.step, first.asked_as) == (None, following.pk)

    play(scenario)
    question = Turn.objects.order_by("pk").last().question
    assert question.text == f"{SAID}\n\nAnd the letters."
    assert question.parent_id == Turn.objects.order_by("pk").first().answer_id
    assert noting.sweep() == 0


def test_who_stops_the_answer_keeps_the_note(alice, model_server):
    model_server.queue(calling(("hold", {"name": "a"}), text="Let me see."))

    async def scenario():
        begin()
        async with running(run_with_memory):
            turn = await asked(alice)
            await HELD["begun"].wait()
            await run_sync(noting.say, alice, turn.pk, SAID)
            await run_sync(stop_turn, alice, turn.pk)
            turn = await finished(turn)
            assert turn.status == "stopped"
            (note,) = await run_sync(noting.notes_of, alice, turn.pk)
            assert (note.text, note.fate) == (SAID, "left")

    play(scenario)
    assert noting.sweep() == 0
    assert Turn.objects.count() == 1


def test_what_a_dead_runner_left_behind_is_asked_by_the_clock_once(alice, model_server):
    async def scenario():
        async with running(run_with_memory):
            turn = await asked(alice)
            await finished(turn)

    play(scenario)
    turn = Turn.objects.get()
    with pytest.raises(TooLateToSay):
        noting.say(alice, turn.pk, SAID)
    RunNote.objects.create(run_id=turn.pk, owner=alice, text=SAID)  # it came before the end
    assert (noting.sweep(), noting.sweep()) == (1, 0)
    assert Turn.objects.order_by("pk").last().question.text == SAID


def test_more_than_one_question_holds_goes_on_to_the_next(alice, agent, model_server):
    Agent.objects.update(tools=[])

    async def scenario():
        async with running(run_with_memory):
            await finished(await asked(alice))
            await run_sync(leave)
            assert await run_sync(noting.sweep) == 1
            await until(lambda: noting.sweep() == 1)  # as the clock does, once that has ended
            await until(lambda: Turn.objects.filter(finished_at__isnull=False).count() == 3)

    def leave():
        turn = Turn.objects.get()
        for letter in "abcdefg":
            RunNote.objects.create(run_id=turn.pk, owner=alice, text=letter * noting.MAX_NOTE)

    play(scenario)
    _first, second, third = Turn.objects.order_by("pk")
    assert [text[0] for text in second.question.text.split("\n\n")] == ["a", "b", "c", "d"]
    assert [text[0] for text in third.question.text.split("\n\n")] == ["e", "f", "g"]
    assert third.question.parent_id == second.answer_id
    assert not RunNote.objects.waiting().exists()
    assert [note.fate for note in noting.notes_of(alice, second.pk)] == ["asked"] * 3


def test_what_may_not_be_asked_any_more_is_tried_once_and_the_persons(
    alice, bob, model_server, api_for
):
    async def scenario():
        async with running(run_with_memory):
            await finished(await asked(alice))

    play(scenario)
    turn = Turn.objects.get()
    RunNote.objects.create(run_id=turn.pk, owner=alice, text=SAID)
    Conversation.objects.update(owner=bob)  # where she may not ask any more
    assert noting.sweep() == 0
    assert not RunNote.objects.waiting().exists()
    Conversation.objects.update(owner=alice)
    assert noting.sweep() == 0
    (note,) = api_for(alice).get(f"/turns/{turn.pk}/notes").json()
    assert (note["status"], note["asked_as"]) == ("left", None)


def test_nobody_else_says_anything_to_it(alice, bob, model_server, api_for):
    """Also who may ask and stop in the conversation: the answer is on the asker's account."""
    model_server.queue(calling(("hold", {"name": "a"})))

    async def scenario():
        begin()
        async with running(run_with_memory), socket(bob) as tab:
            turn = await asked(alice)
            await HELD["begun"].wait()
            await run_sync(share_with, alice, bob, turn)
            with pytest.raises(Http404):
                await run_sync(noting.say, bob, turn.pk, "Send it to me.")
            await tab.send(type="turn.steer", id="1", turn_id=str(turn.pk), text="Send it to me.")
            assert (await tab.until("noted", "refused"))["problem"] == "not-found"
            HELD["go on"].set()
            await finished(turn)

    play(scenario)
    turn = Turn.objects.get()
    for call in (api_for(bob).get, lambda path: api_for(bob).post(path, {"text": "Send it."})):
        assert call(f"/turns/{turn.pk}/notes").status_code == 404
    assert not RunNote.objects.exists()
    assert "Send it" not in str(model_server.chat_requests)


def share_with(alice, bob, turn):
    sharing.share(Turn.objects.get(pk=turn.pk).conversation, bob, "editor", by=alice)


def test_the_api_says_what_became_of_each_note(alice, model_server, api_for):
    model_server.queue(calling(("hold", {"name": "a"})))

    async def scenario():
        begin()
        async with running(run_with_memory):
            turn = await asked(alice)
            await HELD["begun"].wait()
            await run_sync(say_over_api, f"/turns/{turn.pk}/notes")
            HELD["go on"].set()
            await finished(turn)

    def say_over_api(path):
        api = api_for(alice)
        first = api.post(path, {"text": SAID}, headers={"Idempotency-Key": "k"})
        again = api.post(path, {"text": SAID}, headers={"Idempotency-Key": "k"})
        other = api.post(path, {"text": "Another."}, headers={"Idempotency-Key": "k"})
        assert (first.status_code, again.json(), other.status_code) == (202, first.json(), 409)
        assert [one["status"] for one in api.get(path).json()] == ["waiting"]
        assert api.post(path, {"text": " "}).status_code == 422

    play(scenario)
    path = f"/turns/{Turn.objects.get().pk}/notes"
    assert [one["status"] for one in api_for(alice).get(path).json()] == ["taken"]
    late = api_for(alice).post(path, {"text": SAID})
    assert (late.status_code, late.json()["type"].endswith("too-late-to-say")) == (409, True)


def test_over_a_crash_it_is_taken_once_and_stands_where_it_stood(alice, model_server):
    model_server.queue(
        calling(("hold", {"name": "a"}), text="One."),
        calling(("hold", {"name": "b"}), text="Two."),
    )

    async def scenario():
        begin()
        async with running(run_with_memory):
            turn = await asked(alice)
            await HELD["begun"].wait()
            await run_sync(noting.say, alice, turn.pk, SAID)
            HELD["begun"].clear()
            HELD["go on"].set()
            HELD["go on"] = asyncio.Event()
            await until(lambda: len(model_server.chat_requests) == 2)
            await HELD["begun"].wait()
            await run_sync(crash, turn)
            HELD["go on"].set()
            async with running(run_with_memory):
                turn = await ended(turn)
            assert turn.answer.text == "One.\n\nTwo.\n\nDone."
            taken = [s for s in turn.answer.steps if s["kind"] == "note_taken"]
            assert len(taken) == 1

    play(scenario)
    last = told(model_server.chat_requests[-1])
    assert [role for role, _ in last] == ["assistant", "tool", "user", "assistant", "tool"]
    assert RunNote.objects.get().step == 1


def test_who_is_handed_over_to_knows_what_was_said_and_hears_the_rest_once(
    alice, agent, model_server
):
    other = Agent.objects.create(
        owner=alice, name="Other", slug="other", max_passages=0, tools=["hold"]
    )
    agent.helpers = [{"agent": str(other.pk), "way": "hand_over", "when": ""}]
    agent.save()
    model_server.queue(
        calling(("hold", {"name": "a"})),
        calling(("hand_over_to_other", {"reason": "yours"})),
        calling(("hold", {"name": "b"})),
        Script(text="", hang_after=0),
    )
    more = "And the letters."

    async def say_while_held(turn, text):
        await HELD["begun"].wait()
        await run_sync(noting.say, alice, turn.pk, text)
        go_on = HELD["go on"]
        begin()
        go_on.set()

    async def scenario():
        begin()
        async with running(run_with_memory):
            turn = await asked(alice)
            await say_while_held(turn, SAID)
            await say_while_held(turn, more)
            await until(lambda: len(model_server.chat_requests) == 4)
            await run_sync(crash, turn)
            async with running(run_with_memory):
                closed = await ended(turn)
            assert closed.answer.text == "Done."

    play(scenario)
    question = model_server.chat_requests[2]["messages"][-1]["content"]
    assert question.endswith(f"Do it.\n\n{SAID}")
    for sent in model_server.chat_requests[3:]:
        assert sent["messages"][-1] == {"role": "user", "content": more}
        assert str(sent["messages"]).count(SAID) == 1
    assert list(RunNote.objects.order_by("id").values_list("step", flat=True)) == [1, 3]
    assert Turn.objects.count() == 1
