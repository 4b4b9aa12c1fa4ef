"""Rules in a turn: what is kept and told of them, what titles are written from, and a run that
waits for its person and is taken up by another runner."""

import asyncio
import json

import pytest

from agents.models import Agent, RunStep, ToolExecution
from chat.models import Conversation, Turn
from chat.services import start_turn
from chat.turns.runner import run_with_memory
from chat.turns.titling import claim_titles, write_title
from events import log
from events.models import Event, Stream
from gateway.upstream.session import close_pool
from observability.db import run_sync
from tests.support.model_server import Script, calling, model_server

from .stage import play, running
from .test_runner import finished
from .test_tools import HELD, RAN, agent, crash, decide, until, waiting

__all__ = ["agent", "model_server"]
pytestmark = pytest.mark.django_db(transaction=True)
MAIL = "bob@example.org"
KEY = "ghp_" + "a1B2c3D4e5" * 4
MASKED = {"name": "Mails", "kind": "personal_data", "places": ["input"], "action": "mask"}
BLOCKED = {"name": "Keys", "kind": "secrets", "places": ["input"], "action": "block"}


def guarded(*rules):
    """The agent that `test_tools` made, with these rules."""
    Agent.objects.filter(slug="doer").update(guardrails=list(rules))
    return "doer"


def placeholder(sent):
    text = json.dumps(sent)
    at = text.index("[EMAIL_")
    return text[at : text.index("]", at) + 1]


def test_what_a_rule_did_is_kept_told_and_counts_for_the_title(alice, model_server, settings):
    settings.PARLEY_WRITE_TITLES = True
    slug = guarded(MASKED)
    model_server.default = Script(text=lambda sent: f"About {placeholder(sent)}")
    model_server.title = model_server.default

    async def scenario():
        async with running(run_with_memory):
            turn = await run_sync(start_turn, alice, None, f"Who is {MAIL}?", agent=slug)
            turn = await finished(turn)
            named = Conversation.objects.filter(pk=turn.conversation_id, is_named=True)
            await until(named.first)
            found.append(turn)

    found = []
    play(scenario)
    (turn,) = found
    assert turn.answer.text == f"About {MAIL}"
    kept = [step["data"] for step in turn.answer.steps if step["kind"] == "guardrail_acted"]
    assert [(one["rule"], one["counts"]) for one in kept] == [("Mails", {"email": 1})]
    assert "guardrail_masked_input" in turn.answer.notice
    told = [row for row in log.read_all(turn.pk) if row.kind == "guardrail_acted"]
    assert len(told) == 1
    assert len(model_server.title_requests) == 1
    assert MAIL not in json.dumps([*model_server.chat_requests, *model_server.title_requests])
    assert Conversation.objects.get().title == f"About {MAIL}"


def test_a_title_is_written_by_the_rules_of_whoever_answered_of_the_whole_text(
    alice, model_server, settings
):
    """Another agent has the conversation since; the words are hidden before anything is cut off."""
    settings.PARLEY_WRITE_TITLES = False
    slug = guarded(MASKED | {"places": ["input", "tool_result"]})
    model_server.default = Script(text="Fine. " * 247 + "It is eve@example.org")
    model_server.title = Script(text="Mails")

    async def scenario():
        async with running(run_with_memory):
            long = "word " * 298 + MAIL
            await finished(await run_sync(start_turn, alice, None, long, agent=slug))

    play(scenario)
    other = Agent.objects.create(owner=alice, name="Other", slug="other", guardrails=[BLOCKED])
    Conversation.objects.update(agent=other)
    Conversation.objects.update(is_named=False)
    Stream.objects.create(pk=Conversation.objects.get().pk, kind="title")
    (work,) = claim_titles("here", 5)
    assert [one["name"] for one in json.loads(work.guardrails)] == ["Mails"]
    assert work.question.endswith(MAIL)

    async def written():
        await write_title(work)
        await close_pool()

    play(written)
    (told,) = model_server.title_requests
    assert "[EMAIL_" in json.dumps(told)
    assert "bob@" not in json.dumps(told)
    assert "eve@" not in json.dumps(told)


def test_a_blocked_question_reaches_no_model_now_or_later(alice, model_server):
    slug = guarded(BLOCKED)
    model_server.default = Script(text="Fine.")

    async def scenario():
        async with running(run_with_memory):
            first = await run_sync(start_turn, alice, None, f"Use {KEY}", agent=slug)
            first = await finished(first)
            assert "Keys" in first.answer.text
            assert model_server.chat_requests == []
            place = first.conversation_id
            second = await run_sync(start_turn, alice, place, "And now?", agent=slug)
            found.append(await finished(second))

    found = []
    play(scenario)
    (turn,) = found
    assert turn.answer.text == "Fine."
    assert KEY not in json.dumps(model_server.chat_requests)


def test_a_run_that_waits_goes_on_with_what_was_hidden(alice, model_server):
    slug = guarded(MASKED)

    def first(sent):
        return f"I write to {placeholder(sent)}."

    model_server.queue(Script(text=first))

    async def scenario():
        async with running(run_with_memory):
            turn = await run_sync(start_turn, alice, None, f"Who is {MAIL}?", agent=slug)
            turn = await finished(turn)
            name = placeholder(model_server.chat_requests[0])
            model_server.queue(
                calling(("write", {"text": f"to {name}"}), text=f"I tell {name}."),
                Script(text=f"{name} knows."),
            )
            place = turn.conversation_id
            turn = await run_sync(start_turn, alice, place, f"Tell {MAIL}.", agent=slug)
            approval = await until(lambda: waiting(turn))
            assert json.loads(approval.arguments) == {"text": f"to {MAIL}"}
        async with running(run_with_memory):
            await run_sync(decide, alice, approval)
            found.extend([await finished(turn), name])

    found = []
    play(scenario)
    turn, name = found
    assert turn.answer.text == f"I tell {MAIL}.\n\n{MAIL} knows."
    assert RAN[f"write to {MAIL}"] == 1
    assert MAIL not in json.dumps(model_server.chat_requests)
    assert RunStep.objects.filter(run_id=turn.pk).first().text == f"I tell {name}."
    assert ToolExecution.objects.get().status == "done"
    assert Turn.objects.get(pk=turn.pk).status == "completed"


def forget_calls(turn):
    """As if the runner had died when its step was kept and nobody had heard of its calls."""
    Event.objects.filter(stream=turn.pk, kind="tool_called").delete()
    crash(turn)


def test_masked_words_of_a_kept_step_are_said_again_by_who_takes_the_run_up(alice, model_server):
    """What was shown differs from what the model said, by masks and by words put back."""
    masks = {"name": "Cards", "kind": "personal_data", "places": ["output"], "action": "mask",
             "data": ["card"]}  # fmt: skip
    slug = guarded(MASKED, masks)

    def said(sent):
        return f"I write to {placeholder(sent)} about 4111 1111 1111 1111."

    model_server.queue(calling(("hold", {}), text=said), Script(text="Done."))

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await run_sync(start_turn, alice, None, f"Tell {MAIL}.", agent=slug)
            await HELD[0].wait()
            await until(Event.objects.filter(stream=turn.pk, kind="tool_called").exists)
            await run_sync(forget_calls, turn)
            async with running(run_with_memory):
                found.append(await finished(turn))

    found = []
    play(scenario)
    (turn,) = found
    assert turn.status == Turn.Status.COMPLETED
    assert turn.answer.text == f"I write to {MAIL} about [CARD].\n\nDone."
    assert len(model_server.chat_requests) == 2
