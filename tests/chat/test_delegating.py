"""Agents that call agents in a turn: a helper's steps below the call, its questions to the person,
going on after a crash at each step, and a conversation that is handed over. A real runner, real
agents, a scripted model."""

import asyncio
from collections import Counter
from io import BytesIO

import pytest

from agents.approvals.models import Approval
from agents.authority.models import PolicyRule
from agents.authority.ruleset import forget_rules
from agents.building.drafts import find_draft
from agents.models import Agent, RunStep, ToolExecution
from agents.tools import registry
from agents.tools.registry import tool_of
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput
from agents.types import PackedPassage
from chat.models import Conversation, Message, Turn
from chat.services import start_turn
from chat.turns.runner import run_with_memory
from events import jobs
from events.models import Event
from gateway.embedding.embedder import get_embedder
from gateway.models import Usage
from gateway.routing.routes import forget_routes
from knowledge import services as knowledge
from knowledge.retrieval.surroundings import passage_of
from observability.db import run_sync
from tests.support.model_server import Script, calling, model_server

from .stage import connected, play, running, socket
from .test_tools import crash, decide, ended, until, waiting

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)

RAN: Counter[str] = Counter()
HELD: list[asyncio.Event] = []


async def look(calling: ToolCalling) -> ToolOutput:
    """Read something that nobody answers for."""
    RAN["look"] += 1
    if HELD and not HELD[0].is_set():
        HELD[0].set()
        await asyncio.sleep(3600)
    return ToolOutput("It rains.", taints=frozenset({Taint.UNTRUSTED}))


async def write(calling: ToolCalling, text: str) -> str:
    """Write something down."""
    RAN[f"write {text}"] += 1
    return f"written: {text}"


def helpers(*said):
    return [{"agent": str(agent.pk), "way": way, "when": when} for agent, way, when in said]


@pytest.fixture(autouse=True)
def expert(alice, model_server, monkeypatch):
    RAN.clear()
    HELD.clear()
    forget_routes()
    made = [
        tool_of(look, title="Look", effect=Effect.READS, timeout=7200),
        tool_of(write, title="Write", effect=Effect.CHANGES, timeout=7200),
    ]
    monkeypatch.setattr(registry, "TOOLS", {one.name: one for one in made})
    connected(alice, model_server, Script(text="Done."))
    yield Agent.objects.create(
        owner=alice, name="Expert", slug="expert", max_passages=0, tools=["look", "write"],
        instructions="You are the expert.",
    )  # fmt: skip
    forget_routes()
    forget_rules()


@pytest.fixture
def lead(alice, expert):
    return Agent.objects.create(
        owner=alice, name="Lead", slug="lead", max_passages=0, instructions="You lead.",
        helpers=helpers((expert, "ask", "about the weather"), (expert, "hand_over", "weather")),
    )  # fmt: skip


def ask(alice, text="How is the weather?", **wishes):
    return run_sync(start_turn, alice, None, text, agent="lead", **wishes)


def test_a_helper_works_below_the_call_and_its_answer_comes_back(alice, lead, expert, model_server):
    model_server.queue(
        calling(("ask_expert", {"question": "Does it rain?"}), text="I ask."),
        calling(("look", {})),
        Script(text="Yes, it rains."),
        Script(text="Take an umbrella."),
    )

    async def scenario():
        async with running(run_with_memory), socket(alice) as tab:
            accepted = await tab.ask("How is the weather?", agent="lead")
            await tab.until("message_completed")
            return accepted["turn_id"], tab.events(accepted["turn_id"])

    found = []

    async def keep():
        found.extend(await scenario())

    play(keep)
    turn_id, events = found
    assert Message.objects.get(role="assistant").text == "I ask.\n\nTake an umbrella."
    first, asked, _looked, last = model_server.chat_requests
    assert [one["function"]["name"] for one in first["tools"]] == [
        "ask_expert",
        "hand_over_to_expert",
    ]
    assert "about the weather" in first["tools"][0]["function"]["description"]
    assert "You are the expert." in asked["messages"][0]["content"]
    assert "You lead." not in str(asked)
    question = asked["messages"][-1]["content"]
    assert "Does it rain?" in question
    assert "<request-" in question
    assert "How is the weather?" not in question
    assert [one["function"]["name"] for one in asked["tools"]] == ["look", "write"]
    assert "Yes, it rains." in last["messages"][-1]["content"]
    assert last["messages"][-1]["content"].startswith("<data-")

    calls = {c.tool: c for c in ToolExecution.objects.filter(run_id=turn_id)}
    above, below = calls["ask_expert"], calls["look"]
    assert below.parent == above.call_id
    assert below.call_id.startswith(f"{above.call_id}/")
    assert (above.agent_id, below.agent_id) == (lead.pk, expert.pk)
    assert above.taints == ["untrusted"]  # what the helper read
    assert (above.input_taints, below.input_taints) == ([], ["untrusted"])  # of another's words
    assert above.data["spent"] == {
        "steps": 2, "calls": 1, "tokens": 30, "runs": 1, "costs": {"USD": None},
    }  # fmt: skip
    told = [e["data"] for e in events if e["kind"] == "tool_called"]
    assert [one["parent"] for one in told] == ["", above.call_id]
    assert told[0]["title"] == "Ask Expert"
    assert Usage.objects.filter(agent_id=expert.pk).count() == 2


def test_what_a_helper_wants_to_do_is_asked_of_the_same_person(alice, lead, expert, model_server):
    model_server.queue(
        calling(("ask_expert", {"question": "Note it."})),
        calling(("look", {}), ("write", {"text": "rain"})),
        Script(text="Noted."),
        Script(text="It is noted."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            approval = await until(lambda: waiting(turn))
            assert approval.owner_id == alice.pk
            assert approval.agent_id == expert.pk
            assert "untrusted" in approval.taints
            assert RAN == {"look": 1}
            await run_sync(decide, alice, approval)
            closed = await ended(turn)
            assert closed.answer.text == "It is noted."

    play(scenario)
    assert RAN == {"look": 1, "write rain": 1}
    assert len(model_server.chat_requests) == 4


def test_who_said_yes_to_asking_an_agent_is_not_asked_again_for_what_that_one_waits(
    alice, lead, expert, model_server
):
    PolicyRule.objects.create(kind="ask", tool="ask_expert")
    forget_rules()
    model_server.queue(
        calling(("ask_expert", {"question": "Note it."})),
        calling(("write", {"text": "rain"})),
        Script(text="Noted."),
        Script(text="It is noted."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            first = await until(lambda: waiting(turn))
            assert first.tool == "ask_expert"
            await run_sync(decide, alice, first)
            second = await until(lambda: waiting(turn))
            assert second.tool == "write"
            await run_sync(decide, alice, second)
            assert (await ended(turn)).answer.text == "It is noted."

    play(scenario)
    assert RAN == {"write rain": 1}
    assert {one.status for one in Approval.objects.all()} == {"used"}
    assert Approval.objects.count() == 2
    assert ToolExecution.objects.get(tool="ask_expert").approval_id is not None


STEPS = {
    "asked": 0,  # the caller's model speaks
    "begun": 1,  # the helper's model speaks
    "answering": 2,  # … and again, behind its tool
    "told": 3,  # the caller's model, with the helper's answer
}


@pytest.mark.parametrize("reached", STEPS)
def test_whoever_takes_up_a_killed_runner_repeats_no_step_of_parent_or_helper(
    reached, alice, lead, model_server
):
    scripts = [
        calling(("ask_expert", {"question": "Does it rain?"})),
        calling(("look", {})),
        Script(text="Yes."),
        Script(text="It does."),
    ]
    n = STEPS[reached]
    silent = Script(text="", hang_after=0)
    model_server.queue(*scripts[:n], silent, *scripts[n:])

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            await until(lambda: len(model_server.chat_requests) == n + 1)
            await run_sync(crash, turn)
            async with running(run_with_memory):
                closed = await ended(turn)
            assert closed.answer.text == "It does."

    play(scenario)
    assert RAN == {"look": 1}
    assert len(model_server.chat_requests) == len(scripts) + 1
    assert ToolExecution.objects.count() == 2
    assert RunStep.objects.count() == 2


def test_a_helper_that_was_cut_off_in_a_tool_goes_on_there(alice, lead, model_server):
    model_server.queue(
        calling(("ask_expert", {"question": "Does it rain?"})),
        calling(("look", {})),
        Script(text="Yes."),
        Script(text="It does."),
    )

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice)
            await HELD[0].wait()
            await run_sync(crash, turn)
            async with running(run_with_memory):
                assert (await ended(turn)).answer.text == "It does."

    play(scenario)
    assert RAN == {"look": 2}  # it reads
    assert len(model_server.chat_requests) == 4


def test_a_yes_to_asking_an_agent_holds_over_a_crash_in_it(alice, lead, model_server):
    PolicyRule.objects.create(kind="ask", tool="ask_expert")
    forget_rules()
    model_server.queue(
        calling(("ask_expert", {"question": "Does it rain?"})),
        calling(("look", {})),
        Script(text="Yes."),
        Script(text="It does."),
    )

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice)
            await run_sync(decide, alice, await until(lambda: waiting(turn)))
            await HELD[0].wait()
            await run_sync(crash, turn)
            async with running(run_with_memory):
                assert (await ended(turn)).answer.text == "It does."

    play(scenario)
    assert RAN == {"look": 2}
    assert Approval.objects.get().status == "used"


def test_a_turn_that_was_handed_over_is_taken_up_by_who_it_was_handed_to(
    alice, lead, expert, model_server
):
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "Rain."}), text="One moment."),
        calling(("look", {})),
        Script(text="", hang_after=0),
        Script(text="It rains."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            await until(lambda: len(model_server.chat_requests) == 3)
            await run_sync(crash, turn)
            async with running(run_with_memory):
                closed = await ended(turn)
            assert closed.answer.text == "One moment.\n\nIt rains."
            assert [s["kind"] for s in closed.answer.steps].count("handed_over") == 1
            place = await run_sync(Conversation.objects.get, pk=turn.conversation_id)
            assert place.agent_id == expert.pk

    play(scenario)
    assert RAN == {"look": 1}
    assert len(model_server.chat_requests) == 4


def test_what_a_question_was_understood_as_is_told_again_by_who_takes_it_up(
    alice, lead, expert, model_server
):
    Agent.objects.filter(slug__in=["lead", "expert"]).update(
        max_passages=2, understanding={"filters": True}
    )
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "Rain."})),
        calling(("look", {})),
        Script(text="It rains."),
    )

    async def scenario():
        HELD.append(asyncio.Event())
        async with running(run_with_memory):
            turn = await ask(alice, "PDFs from last month on rain?")
            await HELD[0].wait()
            told = Event.objects.filter(stream=turn.pk, kind="tool_called")
            await until(lambda: told.count() == 2)
            await run_sync(crash, turn)
            async with running(run_with_memory):
                found.append((await ended(turn)).answer)

    found = []
    play(scenario)
    (answer,) = found
    assert answer.text == "It rains."
    kinds = [step["kind"] for step in answer.steps]
    at = kinds.index("handed_over")
    assert kinds[:at].count("query_rewritten") == kinds[at:].count("query_rewritten") == 1
    assert kinds[:at].count("query_searched") == kinds[at:].count("query_searched")


def test_a_conversation_is_handed_over(alice, lead, expert, model_server):
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "It is about rain."}), text="One moment."),
        calling(("look", {})),
        Script(text="It rains."),
        Script(text="Still."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            closed = await ended(turn)
            assert closed.status == Turn.Status.COMPLETED
            answer = closed.answer
            assert answer.text == "One moment.\n\nIt rains."
            (handed,) = [s["data"] for s in answer.steps if s["kind"] == "handed_over"]
            assert (handed["name"], handed["from_name"]) == ("Expert", "Lead")
            assert handed["reason"] == "It is about rain."
            conversation = await run_sync(Conversation.objects.get, pk=turn.conversation_id)
            assert conversation.agent_id == expert.pk
            following = await run_sync(start_turn, alice, conversation.pk, "And now?")
            assert (await ended(following)).answer.text == "Still."

    play(scenario)
    _first, second, _third, last = model_server.chat_requests
    assert "You are the expert." in second["messages"][0]["content"]
    question = second["messages"][-1]["content"]
    assert "It is about rain." in question
    assert "One moment." in question
    assert question.endswith("How is the weather?")
    assert [one["function"]["name"] for one in second["tools"]] == ["look", "write"]
    assert "You are the expert." in last["messages"][0]["content"]
    steps = RunStep.objects.order_by("id").values_list("parent", flat=True)
    assert list(steps) == ["", ToolExecution.objects.get(tool__startswith="hand").call_id]


def test_a_draft_that_is_tried_is_asked_again_after_it_handed_over(
    alice, lead, expert, model_server
):
    draft = find_draft(alice, lead.pk)
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "Rain."})),
        Script(text="It rains."),
        Script(text="I lead."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await run_sync(start_turn, alice, None, "Rain?", agent=draft.slug)
            assert (await ended(turn)).answer.text == "It rains."
            place = await run_sync(Conversation.objects.get, pk=turn.conversation_id)
            assert place.agent_id == draft.pk
            following = await run_sync(start_turn, alice, place.pk, "And now?")
            assert (await ended(following)).answer.text == "I lead."

    play(scenario)
    assert "You lead." in model_server.chat_requests[-1]["messages"][0]["content"]


def test_who_hands_over_while_a_call_waits_does_so_once_it_is_decided(
    alice, lead, expert, model_server
):
    Agent.objects.filter(pk=lead.pk).update(tools=["write"])
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "Rain."}), ("write", {"text": "rain"})),
        Script(text="It rains."),
    )

    async def scenario():
        async with running(run_with_memory):
            turn = await ask(alice)
            approval = await until(lambda: waiting(turn))
            assert len(model_server.chat_requests) == 1
            await run_sync(decide, alice, approval)
            closed = await ended(turn)
            assert closed.answer.text == "It rains."
            assert [s["kind"] for s in closed.answer.steps].count("handed_over") == 1

    play(scenario)
    assert RAN == {"write rain": 1}
    assert len(model_server.chat_requests) == 2


def test_a_handed_over_answer_at_its_limit_is_gone_on_with_by_who_wrote_it(
    alice, lead, expert, model_server
):
    Agent.objects.filter(pk=expert.pk).update(limits={"steps": 2})
    model_server.queue(
        calling(("hand_over_to_expert", {"reason": "Rain."}), text="One moment."),
        calling(("look", {}), text="I look."),
        Script(text="Not all yet."),
        Script(text=" And now all."),
    )

    async def scenario():
        async with running(run_with_memory):
            first = await ended(await ask(alice))
            assert "limit" in first.answer.notice
            wishes = {"continues": first.answer_id}
            turn = await run_sync(start_turn, alice, first.conversation_id, "", **wishes)
            second = await ended(turn)
            assert second.agent_id == expert.pk
            assert second.answer.text.startswith(first.answer.text)
            assert second.answer.text.endswith("And now all.")
            assert "handed_over" not in [s["kind"] for s in second.answer.steps]

    play(scenario)
    assert RAN == {"look": 1}
    assert len(model_server.chat_requests) == 4
    assert "You are the expert." in model_server.chat_requests[-1]["messages"][0]["content"]


@pytest.fixture
def ferry(alice, settings, tmp_path):
    """A document that tools come upon, and no search."""
    settings.FILES_ROOT = tmp_path / "files"
    get_embedder().embed(["warm up"])
    shelf = knowledge.create_collection(alice, "Harbour", "")
    text = BytesIO(b"# Ferry\n\nThe ferry leaves at noon from the old harbour.\n")
    document, _ = knowledge.add_document(alice, shelf, text, "ferry.md")
    jobs.run(str(document.job_id))
    return document


def test_what_tools_found_is_cited_and_opened_in_an_answer_that_is_gone_on_with(
    alice, lead, expert, model_server, monkeypatch, ferry
):
    """By each of the two that wrote it, and by the next one again; no model is shown it anew."""

    async def harbour(calling: ToolCalling) -> ToolOutput:
        """Look at the harbour."""
        chunk = await run_sync(ferry.chunks.select_related("document").get)
        return ToolOutput("A ferry.", passages=(PackedPassage(1, (passage_of(chunk),)),))

    registry.TOOLS["harbour"] = tool_of(harbour, title="Harbour", effect=Effect.READS)
    Agent.objects.update(tools=["harbour"])
    Agent.objects.filter(pk=expert.pk).update(limits={"steps": 2})
    model_server.queue(
        calling(("harbour", {})),
        calling(("hand_over_to_expert", {"reason": "Ferries."}), text="The ferry leaves [1]."),
        calling(("harbour", {}), text="I look."),
        Script(text="The ferry leaves at noon [2]."),
        Script(text=" It leaves from the old harbour [1]."),
        Script(text=" That is all."),
    )

    async def scenario():
        async with running(run_with_memory):
            first = await ended(await ask(alice))
            assert "[2]" in first.answer.text
            place = first.conversation_id
            turn = await run_sync(start_turn, alice, place, "", continues=first.answer_id)
            found.append(await ended(turn))
            await run_sync(Message.objects.filter(pk=turn.answer_id).update, status="stopped")
            turn = await run_sync(start_turn, alice, place, "", continues=turn.answer_id)
            found.append(await ended(turn))

    found = []
    play(scenario)
    second, third = (turn.answer for turn in found)
    assert second.text.startswith(
        "The ferry leaves [1].\n\nI look.\n\nThe ferry leaves at noon [1]."
    )
    assert second.text.endswith("It leaves from the old harbour [1].")
    assert third.text == f"{second.text} That is all."
    for answer in (second, third):
        cited = answer.citations.all()
        assert {one.n for one in cited} == {1}
        assert {one.document_id for one in cited} == {ferry.pk}
        assert all(one.quote in ferry.extracted.text for one in cited)
    for asked in model_server.chat_requests[-2:]:
        assert "leaves at noon from the old harbour" not in str(asked["messages"])
