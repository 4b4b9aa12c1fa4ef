"""A run with tools: calls and results between the words, limits, citations of what tools bring."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest

from agents.authority.types import Verdict
from agents.running import talking
from agents.running.keeping import Past
from agents.running.voice import Voice
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput, ToolRefused
from agents.types import (
    AgentSpec,
    CitationAdded,
    Finished,
    GoingOn,
    LabelsDemanded,
    Limits,
    PackedPassage,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    UsageRecorded,
)
from gateway.controls import Capability
from gateway.labels import Demand
from gateway.types import Route
from gateway.upstream.session import close_pool
from tests.agents.passages import passage
from tests.agents.test_loop import Run
from tests.support.model_server import Script, calling, model_server

__all__ = ["model_server"]

FERRY = passage("The ferry leaves at noon. It takes two hours.", 400, "ferries")
RAN: Counter[str] = Counter()


async def double(calling: ToolCalling, number: int) -> str:
    """Twice as much."""
    RAN["double"] += 1
    return str(2 * number)


async def look_up(calling: ToolCalling, words: str) -> ToolOutput:
    """Look something up."""
    RAN["look_up"] += 1
    if words == "nothing":
        raise ToolRefused("Say what to look up.")
    if words == "crash":
        raise RuntimeError("secret of ours")
    if words == "sleep":
        await asyncio.sleep(60)
    found = PackedPassage(calling.passages_so_far + 1, (FERRY,))
    text = f"Found about {words}: " + "x" * (500 if words == "much" else 0)
    return ToolOutput(text, {"words": words}, (found,), frozenset(Taint))


async def slowly(calling: ToolCalling, seconds: float) -> str:
    """Take one's time."""
    await asyncio.sleep(seconds)
    return "done"


async def write(calling: ToolCalling, text: str) -> str:
    """Write something down."""
    RAN[f"write {text}"] += 1
    return "written"


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    RAN.clear()
    made = [
        tool_of(double, title="Double", effect=Effect.NONE),
        tool_of(look_up, title="Look up", effect=Effect.READS, timeout=0.2, result_chars=200),
        tool_of(slowly, title="Wait", effect=Effect.NONE),
        tool_of(write, title="Write", effect=Effect.CHANGES),
    ]
    monkeypatch.setattr(registry, "TOOLS", {one.name: one for one in made})


@pytest.fixture
def route(model_server):
    return Route("m", "up", "one", model_server.url)


@pytest.fixture
def verdicts(monkeypatch):
    """What is decided, for the name of a tool; whatever has no name is allowed. The states seen."""
    said: dict[str, Verdict] = {}
    seen = []

    async def decide(calling, tool, arguments, state):
        seen.append(state)
        return said.get(tool.name, Verdict("allow"))

    outside = talking.Outside(decide, lambda *_: Notes())
    monkeypatch.setattr(talking.talk, "__defaults__", (outside,))
    said["seen"] = seen
    return said


class Notes:
    """A ledger that nobody reads again."""

    async def past(self):
        return Past((), {})

    async def spoke(self, *_):
        pass

    async def hears(self, _step):
        return ()

    async def is_spoken_to(self):
        return False

    begins = ended = spoke


def someone():
    return SimpleNamespace(pk=uuid4(), is_active=True)


def run(route, **fields):
    limits = fields.pop("limits", Limits())
    agent = AgentSpec(tools=("double", "look_up", "slowly", "write", "gone"), limits=limits)
    return Run(route, **({"agent": agent, "user": someone()} | fields)).run()


def contents(sent):
    """What a request of the model has behind the question."""
    return [m["content"] for m in sent["messages"] if m["role"] == "tool"]


def test_a_call_its_result_and_the_answer_that_follows(model_server, route, verdicts):
    model_server.queue(
        calling(("double", {"number": 21}), text="Let me see."), Script(text="It is 42.")
    )
    found = run(route)
    assert found.text == "Let me see.\n\nIt is 42."
    (called,) = found.of(ToolCalled)
    assert (called.name, called.title, called.effect) == ("double", "Double", "none")
    assert called.arguments == '{"number": 21}'
    (completed,) = found.of(ToolCompleted)
    assert (completed.call_id, completed.status, completed.text) == (called.call_id, "done", "42")
    first, second = model_server.chat_requests
    assert {one["function"]["name"] for one in first["tools"]} == set(registry.TOOLS)
    *_, question, asked, told = second["messages"]
    assert question["role"] == "user"
    assert (asked["role"], asked["content"]) == ("assistant", "Let me see.")
    assert asked["tool_calls"][0]["function"]["name"] == "double"
    assert told == {"role": "tool", "tool_call_id": called.call_id, "content": "42"}
    (usage,) = found.of(UsageRecorded)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.attempts) == (20, 10, 2)
    assert found.steps[-1] == Finished(found.text, "m", is_offline=False)


def test_an_agent_without_tools_asks_as_ever(model_server, route):
    Run(route).run()
    (sent,) = model_server.chat_requests
    assert "tools" not in sent
    assert "tool" not in sent["messages"][0]["content"].lower()


def test_passages_of_a_tool_get_the_next_numbers_and_are_cited(model_server, route, verdicts):
    model_server.queue(
        calling(("look_up", {"words": "ferry"})), Script(text="The ferry leaves at noon [3].")
    )
    found = run(route)
    assert found.text == "The ferry leaves at noon [3]."
    (citation,) = found.of(CitationAdded)
    assert (citation.n, citation.quote) == (3, "The ferry leaves at noon.")
    (completed,) = found.of(ToolCompleted)
    assert [one.n for one in completed.passages] == [3]
    (content,) = contents(model_server.chat_requests[1])
    assert 'n="3"' in content
    assert content.startswith("<data-")
    assert FERRY.text in content


def test_what_is_found_again_keeps_its_number(model_server, route, verdicts):
    model_server.queue(
        calling(("look_up", {"words": "a"}), ("look_up", {"words": "b"})), Script(text="So [3].")
    )
    found = run(route)
    assert [[p.n for p in one.passages] for one in found.of(ToolCompleted)] == [[3], [3]]


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (("look_up", {"words": "nothing"}), "refused", "Say what to look up."),
        (("look_up", {"words": "crash"}), "failed", "something went wrong"),
        (("look_up", {"words": "sleep"}), "late", "longer than 0.2 seconds"),
        (("look_up", {}), "refused", "words: Field required"),
        (("look_down", {}), "refused", "There is no tool look_down. There are: double"),
        (("gone", {}), "refused", "There is no tool gone"),
    ],
)
def test_whatever_goes_wrong_is_told_to_the_model(
    call, status, said, model_server, route, verdicts
):
    model_server.queue(calling(call), Script(text="I could not."))
    found = run(route)
    (completed,) = found.of(ToolCompleted)
    assert completed.status == status
    (content,) = contents(model_server.chat_requests[1])
    assert said in content
    assert "secret" not in content
    assert found.text == "I could not."


def test_what_is_not_allowed_is_not_done(model_server, route, verdicts):
    verdicts["write"] = Verdict("deny", "Nobody may.")
    model_server.queue(calling(("write", {"text": "a"})), Script(text="It was not allowed."))
    found = run(route)
    assert found.of(ToolCompleted)[0].status == "denied"
    assert contents(model_server.chat_requests[1]) == ["The call is not allowed: Nobody may."]
    assert not RAN


def test_what_is_asked_about_waits_and_what_follows_it_too(model_server, route, verdicts):
    verdicts["write"] = Verdict("ask", "It writes.", uuid4())
    model_server.queue(calling(("double", {"number": 1}), ("write", {"text": "a"}), ("slowly", {})))
    found = run(route, turn_id=uuid4())
    (asked,) = found.of(ToolApprovalRequested)
    assert (asked.name, asked.reason, asked.arguments) == ("write", "It writes.", '{"text": "a"}')
    assert [one.name for one in found.of(ToolCalled)] == ["double"]
    assert not found.of(Finished)
    assert len(model_server.chat_requests) == 1


def test_where_nobody_waits_what_would_be_asked_is_refused(model_server, route, verdicts):
    verdicts["write"] = Verdict("ask", "Approve it in Parley.", uuid4())
    model_server.queue(calling(("write", {"text": "a"})), Script(text="No."))
    found = run(route, turn_id=None)
    assert found.of(ToolCompleted)[0].status == "denied"
    assert not RAN
    assert found.of(Finished)


def test_a_later_call_is_decided_with_what_earlier_ones_brought_in(model_server, route, verdicts):
    model_server.queue(
        calling(("look_up", {"words": "x"}), ("write", {"text": "a"})), Script(text="Done.")
    )
    run(route, found=())
    assert [state.taints for state in verdicts["seen"]] == [frozenset(), frozenset(Taint)]


def test_reading_calls_run_side_by_side(model_server, route, verdicts):
    call = ("slowly", {"seconds": 0.5})
    model_server.queue(calling(*[call] * 3), Script(text="Done."))
    began = time.monotonic()
    found = run(route)
    kinds = [type(step) for step in found.steps if isinstance(step, ToolCalled | ToolCompleted)]
    assert kinds == [ToolCalled] * 3 + [ToolCompleted] * 3
    assert time.monotonic() - began < 1.5


def test_a_long_result_is_cut_and_says_so(model_server, route, verdicts):
    model_server.queue(calling(("look_up", {"words": "much"})), Script(text="Done."))
    found = run(route)
    (content,) = contents(model_server.chat_requests[1])
    assert "more characters were cut off" in content
    assert found.of(ToolCompleted)[0].chars > 500


def test_two_answers_whose_calls_have_the_same_id(model_server, route, verdicts):
    call = {"index": 0, "id": "x", "function": {"name": "double", "arguments": '{"number": 1}'}}
    again = {**call, "function": {"name": "double", "arguments": '{"number": 2}'}}
    raw = (
        'data: {"choices":[{"index":0,"delta":{"tool_calls":[%s]},"finish_reason":"tool_calls"}]}'
        "\n\ndata: [DONE]\n\n"
    )
    model_server.queue(
        Script(raw=(raw % json.dumps(call)).encode()),
        Script(raw=(raw % json.dumps(again)).encode()),
        Script(text="Done."),
    )
    found = run(route)
    assert len({one.call_id for one in found.of(ToolCalled)}) == 2
    assert contents(model_server.chat_requests[2]) == ["2", "4"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(steps=3), "run_limit_steps"),
        (Limits(calls=2), "run_limit_calls"),
        (Limits(tokens=40), "run_limit_tokens"),
        (Limits(seconds=0), "run_limit_seconds"),
        (Limits(repeats=1), "run_limit_repeats"),
    ],
)
def test_a_limit_ends_the_calls_and_the_answer_says_so(limits, code, model_server, route, verdicts):
    model_server.default = lambda body: (
        Script(text="With what I have.")
        if body.get("tool_choice") == "none"
        else calling(("double", {"number": 1}))
    )
    found = run(route, limits=limits)
    assert found.text == "With what I have."
    assert found.steps[-1].notice.code == code
    assert "No more tools" in contents(model_server.chat_requests[-1])[-1]
    assert len(found.of(ToolCompleted)) <= 3


@pytest.mark.parametrize(
    ("price", "code", "asked"),
    [(Decimal(1), "run_limit_money", 4), (None, "run_limit_price", 2)],
    ids=["priced", "unpriced"],
)
def test_money_ends_the_calls_too(price, code, asked, model_server, route, verdicts):
    """15 tokens a call of the model; what nobody has priced is not for nothing."""
    model_server.default = lambda body: (
        Script(text="With what I have.")
        if body.get("tool_choice") == "none"
        else calling(("double", {"number": 1}))
    )
    priced = replace(route, prompt_price=price, completion_price=price, currency="EUR")
    found = run(priced, limits=Limits(money=0.00004))
    assert found.text == "With what I have."
    assert found.steps[-1].notice.code == code
    assert len(model_server.chat_requests) == asked


def test_a_model_that_calls_on_all_the_same_is_not_asked_again(model_server, route, verdicts):
    model_server.default = calling(("double", {"number": 1}), text="Hm.")
    found = run(route, limits=Limits(steps=2))
    assert found.text == "Hm.\n\nHm."
    assert found.of(Finished)


def test_a_model_without_tools_answers_and_says_so(model_server, route):
    found = run(replace(route, lacks=frozenset({Capability.TOOLS})))
    assert found.steps[-1].notice.code == "tools_unknown_to_model"
    assert "tools" not in model_server.chat_requests[0]


def test_what_came_in_demands_its_labels_of_whoever_reads_it(
    model_server, route, verdicts, monkeypatch
):
    async def secret(calling: ToolCalling) -> ToolOutput:
        """A secret."""
        return ToolOutput("psst", demands=(Demand("local", "collection", "c"),))

    made = tool_of(secret, title="Secret", effect=Effect.READS)
    monkeypatch.setitem(registry.TOOLS, "gone", replace(made, name="gone"))
    model_server.queue(calling(("gone", {})), Script(text="Known."))
    found = run(replace(route, labels=frozenset({"local"})))
    assert found.of(LabelsDemanded) == [LabelsDemanded(("local",))]
    model_server.queue(calling(("gone", {})), Script(text="Unknown."))
    found = run(route)
    assert found.of(ToolCompleted)[0].status == "denied"
    assert not found.of(LabelsDemanded)
    assert "psst" not in contents(model_server.chat_requests[-1])[0]


def test_an_answer_that_goes_on_may_call_too(model_server, route, verdicts):
    model_server.queue(calling(("double", {"number": 2}), text=" two"), Script(text="It is 4."))
    found = run(route, goes_on=GoingOn("Twice"))
    assert found.text == "Twice two\n\nIt is 4."
    *_, asked, _told = model_server.chat_requests[1]["messages"]
    assert asked["content"] == "Twice two"


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (["One.", None, "Two."], "One.\n\nTwo."),
        (["One.\n", None, "\n\nTwo."], "One.\n\nTwo."),
        (["One.\n\n", None, " ", "Two."], "One.\n\nTwo."),
        ([None, "Two."], "Two."),
        (["One.", None, None, "Two.", " Three."], "One.\n\nTwo. Three."),
    ],
)
def test_a_blank_line_stands_where_tools_were_called(parts, shown):
    voice = Voice()
    said = [voice.say(part) if part is not None else voice.pause() and "" for part in parts]
    assert "".join(said) == shown


def test_closing_the_run_ends_its_tools(model_server, route, verdicts):
    model_server.queue(calling(("slowly", {"seconds": 60})))
    found = Run(route, agent=AgentSpec(tools=("slowly",)), user=someone())

    async def leave():
        stream = found.stream()
        async for step in stream:
            if isinstance(step, ToolCalled):
                break
        await stream.aclose()
        await close_pool()
        return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "tools"]

    assert asyncio.run(leave()) == []
