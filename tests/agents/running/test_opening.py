"""A run that is taken up, or gone on with, has the passages it began with: the same numbers, the
same words, and only what its person may read now."""

import io
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from accounts import services as sharing
from agents import asking
from agents.authority.markers import forget_markers, refresh_markers
from agents.authority.types import RunState
from agents.finding import search_documents
from agents.guardrails.asking import Asking
from agents.guardrails.guard import Guard
from agents.guardrails.vault import Vault
from agents.reading import read_attachments
from agents.running.keeping import NOT_READABLE, Whose, load_past, store_end, store_step
from agents.running.opening import as_it_began, as_json, find_opening, numbers_of, read_again
from agents.running.state import opening_state
from agents.tools.results import Result
from agents.tools.types import Taint, ToolOutput
from agents.types import AgentSpec, AgentTask, Caller, GoingOn, PackedPassage, Reading
from events import jobs
from gateway.chat import stream_chat
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import Completed, TokenUsage, ToolCall
from knowledge import canaries, services
from knowledge.models import Chunk, Collection
from knowledge.retrieval.surroundings import passage_of
from security.ids import new_id
from tests.agents.guardrails.rules_of import rule

pytestmark = pytest.mark.django_db(transaction=True)
DONE = Completed("tool_calls", TokenUsage(), "m", "one", 1, 2)
CALL = ToolCall("call_1", "look_up", "{}")


class Asked:
    """As far as an opening needs it."""

    reading = Reading()
    opening = None
    recalled = ()
    tools = {}

    def __init__(self, passages):
        self.passages = tuple(passages)


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"


def document(person, name, text):
    collection = services.create_collection(person, name)
    made, _ = services.add_document(person, collection, io.BytesIO(text.encode()), f"{name}.md")
    jobs.run(str(made.job_id))
    return made


def passages(*documents):
    return [
        PackedPassage(n, (passage_of(Chunk.objects.get(document=one)),))
        for n, one in enumerate(documents, 1)
    ]


def begun(person, packed, attached=0, recalled=()):
    """A run whose first step is kept, as its next holder finds it."""
    task = AgentTask(AgentSpec(), person, "When?", turn_id=new_id())
    state = RunState(task.turn_id, frozenset({Taint.PRIVATE}), frozenset({new_id()}))
    asked = Asked(packed)
    asked.reading = Reading(passages=tuple(packed[:attached]))
    asked.recalled = tuple(recalled)
    opening = as_it_began(task, asked, state)
    whose = Whose(task.turn_id, person.pk, None)
    store_step(whose, 1, "Let me see.", [CALL], DONE, opening=as_json(opening))
    found = find_opening(task)
    assert found == opening
    return task, found


def test_the_same_numbers_words_and_taints(alice):
    packed = passages(
        document(alice, "Ferry", "It leaves at noon."), document(alice, "Train", "At one.")
    )
    task, opening = begun(alice, packed, attached=1)
    again = read_again(task, opening)
    assert [(p.n, p.text, p.first.chunk_id) for p in (*again.attached, *again.found)] == [
        (p.n, p.text, p.first.chunk_id) for p in packed
    ]
    assert (len(again.attached), len(again.found)) == (1, 1)
    asked = Asked(again.found)
    asked.opening = opening
    state = opening_state(task, asked)
    assert Taint.PRIVATE in state.taints
    assert opening.readers <= state.readers
    assert "noon" not in str(as_json(opening))  # places, and nobody's words


def test_what_is_known_from_the_text_gone_on_from_stays_apart_and_is_shown_to_no_model(alice):
    first, *known = passages(document(alice, "Ferry", "At noon."), document(alice, "Fog", "Rare."))
    task, opening = begun(alice, [first], recalled=known)
    again = read_again(task, opening)
    assert [one.n for one in again.found] == [1]
    assert [(one.n, one.text) for one in again.recalled] == [(2, "Rare.")]
    assert find_opening(task) == opening


def test_whoever_judges_what_is_only_known_again_has_the_labels_of_its_collection(alice):
    ferry, fog = document(alice, "Ferry", "At noon."), document(alice, "Fog", "Rare.")
    Collection.objects.filter(pk=fog.collection_id).update(required_labels=["eu"])
    first, *known = passages(ferry, fog)
    task, opening = begun(alice, [first], recalled=known)
    again = read_again(task, opening)
    assert (again.demands, again.recalled_demands) == ((), (Demand("eu", "collection", "Fog"),))
    guard = Guard(
        (rule(places=("retrieved",)),),
        Asking(alice, task.payer(), (), stream_chat, find_routes), Vault("x"), (),
    )  # fmt: skip
    asked = prepared(replace(task, is_taken_up=True, guard=guard))
    assert guard.asking.demands == again.recalled_demands
    assert [one.n for one in asked.recalled] == [2]
    assert asked.demands == ()  # no model is shown it


def prepared(task):
    async def run():
        asked = asking.Asked()
        steps = asking.prepare(
            task, asked, search_documents, read_attachments, routes=find_routes, chat=stream_chat
        )
        async for _step in steps:
            pass
        return asked

    return async_to_sync(run)()


def test_what_was_indexed_again_meanwhile_has_its_words_and_number(alice):
    """Also when its document has another version: the words are those that were cited."""
    ferry = document(alice, "Ferry", "It leaves at noon.")
    task, opening = begun(alice, passages(ferry))
    newer, _ = services.add_document(
        alice, ferry.collection, io.BytesIO(b"It leaves at two."), "Ferry.md"
    )
    jobs.run(str(newer.job_id))
    Chunk.objects.filter(document=ferry).delete()
    again = read_again(task, opening)
    if newer.pk == ferry.pk:
        (found,) = again.found
        assert (found.n, found.text) == (1, "It leaves at noon.")


def test_what_may_not_be_read_any_more_does_not_come_back_and_its_number_is_nobodys(alice, bob):
    ferry, train = (
        document(alice, "Ferry", "It leaves at noon."),
        document(alice, "Train", "At one."),
    )
    for one in (ferry, train):
        sharing.share(one.collection, bob, "reader", by=alice)
    packed = passages(ferry, train)
    task, opening = begun(bob, packed)
    output = ToolOutput("The ferry at noon, the train at one.", {"n": 1}, tuple(packed))
    named = {"tool": "look_up", "server": "", "effect": "reads"}
    store_end(Whose(task.turn_id, bob.pk, None), CALL, named, Result("done", output), 5)
    sharing.unshare(ferry.collection, bob, by=alice)
    again = read_again(task, opening)
    assert [(p.n, p.text) for p in again.found] == [(2, packed[1].text)]
    assert sorted(numbers_of(opening).values()) == [1, 2]
    past = load_past(task.turn_id, user=bob)
    kept = past.calls["call_1"].result.output
    assert (kept.text, kept.data) == (NOT_READABLE, {})
    assert [p.n for p in kept.passages] == [2]
    assert sorted(past.numbers.values()) == [1, 2]


def test_a_run_that_nobody_began_has_no_opening(alice):
    assert find_opening(AgentTask(AgentSpec(), alice, "When?", turn_id=new_id())) is None


def test_words_of_another_agent_and_of_a_broken_off_answer_are_nobodys(alice):
    task = AgentTask(AgentSpec(), alice, "When?", turn_id=new_id())
    assert not opening_state(task, Asked([])).taints
    above = Caller(task.turn_id, "call_1", ())
    asked, handed = (
        opening_state(replace(task, caller=replace(above, is_handed=one)), Asked([])).taints
        for one in (False, True)
    )
    assert (asked, handed) == ({Taint.UNTRUSTED}, frozenset())
    going_on = opening_state(replace(task, goes_on=GoingOn("At noon.")), Asked([]))
    assert going_on.taints == frozenset(Taint)


def test_words_of_collections_stand_beside_what_it_has_again(alice):
    ferry = document(alice, "Ferry", "It leaves at noon.")
    task, _opening = begun(alice, passages(ferry))
    forget_markers()
    refresh_markers()  # by a process that knows of none yet
    canaries.plant(ferry.collection, alice, is_planted=True)
    forget_markers()
    sent = str(prepared(replace(task, is_taken_up=True)).request.messages)
    (word,) = refresh_markers().values()
    forget_markers()
    assert "It leaves at noon." in sent
    assert word in sent
