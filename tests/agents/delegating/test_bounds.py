"""What an agent that is asked may reach, how far agents ask agents, and what it costs."""

import asyncio
import io
import json
from dataclasses import asdict, replace

import pytest

from accounts.models import Grant
from accounts.services import share
from agents.asking import searched_collections
from agents.authority.markers import forget_markers, refresh_markers
from agents.delegating.bounds import AGAIN, RUNS, UNUSABLE
from agents.guardrails.rules import stored
from agents.loop import run_agent
from agents.models import Agent, RunStep, ToolExecution
from agents.running.keeping import Past, PastCall
from agents.running.spending import Spending, Spent, spent_by
from agents.selectors import agent_spec
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.results import Result
from agents.tools.types import Effect, ToolCalling, ToolOutput
from agents.types import (
    AgentTask,
    Finished,
    HandedOver,
    Limits,
    TextDelta,
    ToolCalled,
    ToolCompleted,
)
from events import jobs
from gateway.models import Endpoint
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.types import ToolCall
from gateway.upstream.session import close_pool
from knowledge import canaries
from knowledge import services as knowledge
from observability.db import run_sync
from security.models import AuditEntry
from tests.agents.guardrails.rules_of import rule
from tests.support.model_server import Script, calling, model_server

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)
SEEN: list[ToolCalling] = []


async def note(calling: ToolCalling) -> str:
    """Note it."""
    SEEN.append(calling)
    return "noted"


@pytest.fixture(autouse=True)
def _connected(model_server, monkeypatch):
    SEEN.clear()
    forget_routes()
    made = tool_of(note, title="Note", effect=Effect.NONE)
    monkeypatch.setattr(registry, "TOOLS", {made.name: made})
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    connect_model(endpoint, "m", is_default=True)
    yield
    forget_routes()


def made(owner, name, *helpers, **fields):
    said = [{"agent": str(one.pk), "way": way, "when": ""} for one, way in helpers]
    return Agent.objects.create(
        owner=owner, name=name, slug=name.lower(), **{"max_passages": 0} | fields, helpers=said
    )


def run(person, agent, **fields):
    """The steps of an answer; `meanwhile` is done when the first call has ended."""
    limits, meanwhile = fields.pop("limits", None), fields.pop("meanwhile", None)
    question = fields.pop("question", "Well?")
    spec = agent_spec(agent)
    spec = replace(spec, limits=limits) if limits else spec

    async def listen():
        steps = []
        try:
            async for step in run_agent(AgentTask(spec, person, question, **fields)):
                steps.append(step)
                if meanwhile is not None and isinstance(step, ToolCompleted):
                    await run_sync(meanwhile)
            return steps
        finally:
            await close_pool()

    return asyncio.run(listen())


def of(steps, kind):
    return [step for step in steps if isinstance(step, kind)]


def asking(name, question="?"):
    return calling((f"ask_{name}", {"question": question}))


def test_an_agent_that_the_person_may_not_use_is_not_offered(alice, bob, model_server):
    hidden = made(alice, "Hidden")
    lead = made(alice, "Lead", (hidden, "ask"), (hidden, "hand_over"))
    share(lead, bob, Grant.Role.READER, by=alice)
    model_server.queue(asking("hidden"), Script(text="No."))
    steps = run(bob, lead)
    assert "tools" not in model_server.chat_requests[0]
    assert "Hidden" not in str(model_server.chat_requests)
    assert isinstance(steps[-1], Finished)


def test_one_that_was_taken_away_meanwhile_is_refused_and_reveals_nothing(alice, bob, model_server):
    helper = made(alice, "Helper", tools=["note"])
    lead = made(alice, "Lead", (helper, "ask"))
    share(lead, bob, Grant.Role.READER, by=alice)
    share(helper, bob, Grant.Role.READER, by=alice)

    model_server.queue(
        asking("helper"), Script(text="Yes."), asking("helper"), Script(text="No more.")
    )
    grants = Grant.objects.filter(object_id=helper.pk)
    steps = run(bob, lead, meanwhile=grants.delete)
    assert [one.status for one in of(steps, ToolCompleted)] == ["done", "refused"]
    assert of(steps, ToolCompleted)[-1].text == UNUSABLE


def test_no_agent_is_asked_again_below_itself(alice, model_server):
    first = made(alice, "First")
    second = made(alice, "Second", (first, "ask"))
    first.helpers = [{"agent": str(second.pk), "way": "ask", "when": ""}]
    first.save()
    model_server.queue(
        asking("second"), asking("first"), Script(text="I cannot."), Script(text="So be it.")
    )
    steps = run(alice, first)
    refused = [one for one in of(steps, ToolCompleted) if one.status == "refused"]
    assert [one.text for one in refused] == [AGAIN]
    assert len(model_server.chat_requests) == 4


def test_agents_are_asked_two_below_each_other_and_no_deeper(alice, model_server):
    fourth = made(alice, "Fourth")
    third = made(alice, "Third", (fourth, "ask"))
    second = made(alice, "Second", (third, "ask"))
    first = made(alice, "First", (second, "ask"))
    model_server.queue(
        asking("second"), asking("third"), asking("fourth"),
        Script(text="3."), Script(text="2."), Script(text="1."),
    )  # fmt: skip
    steps = run(alice, first)
    called = of(steps, ToolCalled)
    assert [one.parent.count("/") + bool(one.parent) for one in called] == [0, 1, 2]
    ended = {one.call_id: one.status for one in of(steps, ToolCompleted)}
    assert [ended[one.call_id] for one in called] == ["done", "done", "refused"]
    parents = set(ToolExecution.objects.values_list("parent", flat=True))
    assert parents == {"", called[0].call_id, called[1].call_id}


def test_the_limits_of_who_asks_hold_for_all_below(alice, model_server):
    helper = made(alice, "Helper", tools=["note"])
    lead = made(alice, "Lead", (helper, "ask"))
    model_server.default = lambda body: (
        calling(("note", {}))
        if "Another agent" in str(body["messages"][-1])
        or (
            len(body["messages"]) > 2
            and body["messages"][0]["role"] == "system"
            and "note" in str(body.get("tools"))
            and body.get("tool_choice") != "none"
        )
        else Script(text="Enough.")
    )
    model_server.queue(asking("helper"))
    steps = run(alice, lead, limits=Limits(steps=6))
    assert len(model_server.chat_requests) == 6
    assert "6 steps" in steps[-1].notice


def test_so_many_agents_are_asked_in_one_run_and_no_more(alice, model_server):
    helper = made(alice, "Helper")
    lead = made(alice, "Lead", (helper, "ask"))
    calls = [("ask_helper", {"question": f"{n}?"}) for n in range(RUNS + 2)]
    model_server.default = Script(text="Yes.")
    model_server.queue(calling(*calls))
    steps = run(alice, lead, limits=Limits(steps=50))
    ended = [one.status for one in of(steps, ToolCompleted)]
    assert ended.count("done") == RUNS
    assert ended.count("refused") == 2


def test_an_agent_that_is_asked_searches_what_both_may(alice, model_server):
    ours, theirs, other = (knowledge.create_collection(alice, n) for n in ("A", "B", "C"))
    helper = made(alice, "Helper", tools=["note"], is_limited=True)
    helper.collections.set([ours, theirs])
    lead = made(alice, "Lead", (helper, "ask"))
    model_server.default = Script(text="Yes.")
    for chosen, found in (((ours.pk, other.pk), {ours.pk}), ((other.pk,), set()), ((), None)):
        model_server.queue(asking("helper"), calling(("note", {})))
        run(alice, lead, collections=chosen)
        task = SEEN.pop().task
        reach = set(searched_collections(task) or ())
        assert reach == ({ours.pk, theirs.pk} if found is None else found)


def test_who_is_handed_over_to_may_hand_on_but_never_back(alice, model_server):
    first = made(alice, "First")
    second = made(alice, "Second", (first, "hand_over"))
    first.helpers = [{"agent": str(second.pk), "way": "hand_over", "when": ""}]
    first.save()
    model_server.queue(
        calling(("hand_over_to_second", {"reason": "yours"}), text="A."),
        calling(("hand_over_to_first", {"reason": "no, yours"}), text="B."),
        Script(text="C."),
    )
    steps = run(alice, first)
    assert [one.name for one in of(steps, HandedOver)] == ["Second"]
    assert of(steps, ToolCompleted)[-1].text == AGAIN
    assert "".join(one.text for one in of(steps, TextDelta)) == "A.\n\nB.\n\nC."
    assert isinstance(steps[-1], Finished)
    assert RunStep.objects.count() == 2


def test_who_was_asked_hands_nothing_over(alice, model_server):
    third = made(alice, "Third")
    second = made(alice, "Second", (third, "hand_over"))
    first = made(alice, "First", (second, "ask"))
    model_server.queue(asking("second"), Script(text="Yes."), Script(text="Good."))
    run(alice, first)
    assert "tools" not in model_server.chat_requests[1]


def test_what_is_spent_below_is_spent_above():
    above = Spending(Limits(steps=10, calls=5, tokens=100))
    with above.run_within():
        below = Spending(Limits(), above)
        below.take(Spent(steps=3, tokens=60))
        assert len(below.admit([ToolCall(str(n), "x", f'{{"n": {n}}}') for n in range(7)])) == 5
        assert below.reached == above.reached
    assert above.spent == Spent(steps=3, calls=7, tokens=60, runs=1)
    assert not above.has_room()


def test_what_it_cost_below_counts_above_also_when_it_is_taken_up():
    above = Spending(Limits(money=0.5))
    below = Spending(Limits(), above)
    for costs in ({"USD": 0.4}, {"EUR": 0.4}):  # never added to one another
        below.take(Spent(steps=1, costs=costs))
        assert not above.reached
    below.take(Spent(steps=1, costs={"USD": 0.2}))
    assert below.reached.code == above.reached.code == "run_limit_money"
    told = json.loads(json.dumps({"spent": asdict(below.spent)}))
    past = Past(calls={"call_1": PastCall(1, Result("done", ToolOutput("Yes.", told)))})
    again = Spending(Limits(money=0.5))
    for spent in spent_by(past):
        again.take(spent)
    assert again.reached.code == "run_limit_money"


MAIL = "bob@example.org"


async def look(calling: ToolCalling) -> str:
    """Look something up."""
    return f"Ask {MAIL}."


def test_what_was_hidden_from_who_asks_is_hidden_from_who_is_asked(
    alice, model_server, monkeypatch
):
    found = tool_of(look, title="Look", effect=Effect.READS)
    monkeypatch.setitem(registry.TOOLS, found.name, found)
    helper = made(alice, "Helper")
    rules = [stored(rule(places=("tool_result",)))]
    lead = made(alice, "Lead", (helper, "ask"), tools=["look"], guardrails=rules)
    model_server.queue(calling(("look", {})))

    def ask_about_it(body):
        told = str(body["messages"])
        if "Another agent" in told or "Who knows?" in told:
            return Script(text="Who knows?")
        at = told.index("[EMAIL_")
        return asking("helper", f"Who is {told[at : told.index(']', at) + 1]}?")

    model_server.default = ask_about_it
    run(alice, lead, limits=Limits(steps=4))
    asked = [body for body in model_server.chat_requests if "Another agent" in str(body)]
    assert asked
    assert "[EMAIL_" in str(asked[0]["messages"][-1])
    assert MAIL not in str(model_server.chat_requests)


def test_nobody_hands_over_to_an_agent_that_has_lost_its_collections(alice, model_server):
    shelf = knowledge.create_collection(alice, "A")
    helper = made(alice, "Helper", is_limited=True)
    helper.collections.set([shelf])
    lead = made(alice, "Lead", (helper, "hand_over"))
    helper.collections.clear()
    model_server.queue(calling(("hand_over_to_helper", {"reason": "yours"})), Script(text="Mine."))
    steps = run(alice, lead)
    assert [one.text for one in of(steps, ToolCompleted)] == [UNUSABLE]
    assert not of(steps, HandedOver)


@pytest.mark.parametrize("way", ["ask", "hand_over"])
def test_the_word_of_a_collection_is_watched_where_agents_call_agents(
    alice, model_server, settings, tmp_path, way
):
    settings.FILES_ROOT = tmp_path / "files"
    shelf = knowledge.create_collection(alice, "Handbook")
    document, _ = knowledge.add_document(alice, shelf, io.BytesIO(b"Leave is 25 days."), "a.md")
    jobs.run(str(document.job_id))
    canaries.plant(shelf, alice, is_planted=True)
    forget_markers()
    (word,) = refresh_markers().values()
    helper = made(alice, "Helper", max_passages=8)
    lead = made(alice, "Lead", (helper, way))
    if way == "ask":
        model_server.queue(
            asking("helper", "How many days is leave?"), Script(text=f"It says {word}.")
        )
    else:
        call = ("hand_over_to_helper", {"reason": "yours"})
        model_server.queue(calling(call), Script(text=f"It says {word}."))
    model_server.default = Script(text="Good.")
    run(alice, lead, question="How many days is leave?", collections=(shelf.pk,))
    forget_markers()
    assert word in str(model_server.chat_requests[1]["messages"][-1])
    assert AuditEntry.objects.filter(act="canary.collection_seen").exists()
