"""An answer that broke off is gone on with: another version that begins with what was said."""

import asyncio

import pytest
from django.http import Http404

from agents.going_on import said_before
from agents.memory.run import run_with_memory
from agents.types import GoingOn, PackedPassage
from chat.errors import NotAnAnswerable
from chat.models import Turn
from chat.services import start_turn
from events.hub import current_hub
from gateway.controls import Capability
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.types import Passage
from observability.db import run_sync
from security.ids import new_id
from tests.support.model_server import Script

from .stage import play, running

WHOLE = "The sky is blue because short waves are scattered more than long ones."


@pytest.fixture
def connected(builtin, model_server, settings):
    settings.PARLEY_WRITE_TITLES = False
    endpoint = Endpoint.objects.create(name="e", base_url=model_server.url)
    model = Model.objects.create(name="m", is_default=True)
    Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="up", probed={Capability.PREFIX: True}
    )
    forget_routes()
    model_server.reset()
    yield model_server
    forget_routes()


def run(*, alice, **more):
    """A turn that has ended."""
    found = []

    async def scenario():
        async with running(run_with_memory):
            turn = await run_sync(start_turn, alice, more.pop("conversation", None),
                more.pop("text", ""), **more)  # fmt: skip
            async with asyncio.timeout(30):
                async for _row in current_hub().subscribe(turn.pk):
                    pass
            found.append(await run_sync(Turn.objects.select_related("answer").get, pk=turn.pk))

    play(scenario)
    return found[0]


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_where_it_stopped(alice, bob, connected):
    connected.queue(Script(text=WHOLE, finish_reason="length"))
    connected.queue(Script(text=" And that is all."))
    first = run(alice=alice, text="Why is the sky blue?")
    assert first.answer.usage["finish_reason"] == "length"

    for person, answer, expected in (
        (bob, first.answer_id, Http404), (alice, new_id(), Http404),
        (alice, first.question_id, Http404),
    ):  # fmt: skip
        with pytest.raises(expected):
            start_turn(person, first.conversation_id, "", continues=answer)

    second = run(alice=alice, conversation=first.conversation_id, continues=first.answer_id)
    assert second.answer.text == WHOLE + " And that is all."
    assert second.question_id == first.question_id
    assert second.answer.parent_id == first.answer.parent_id
    assert second.model_name == first.model_name
    asked = connected.chat_requests[-1]["messages"][-1]
    assert (asked["role"], asked["content"]) == ("assistant", WHOLE)

    with pytest.raises(NotAnAnswerable):
        start_turn(alice, first.conversation_id, "", continues=second.answer_id)


def passage(n, document, start=0):
    part = Passage(
        chunk_id=new_id(), document_id=document, collection_id=new_id(), title="T",
        heading_path=(), text="abc", start=start, end=start + 3, page=None, score=1.0,
    )  # fmt: skip
    return PackedPassage(n, (part,))


def test_marks_follow_their_passages():
    one, two = new_id(), new_id()
    said = GoingOn("It is so [1], and so [2].", {1: (one, 0), 2: (two, 5)})
    assert said_before(said, [passage(1, one), passage(2, two, 5)]) == said.text
    assert said_before(said, [passage(1, two, 5), passage(2, one)]) == "It is so [2], and so [1]."
    assert said_before(said, [passage(1, two, 5)]) == "It is so , and so [1]."
