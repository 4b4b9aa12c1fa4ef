"""What demands a label is shown to nobody without it: no question, no title, no passage; not by
fallback either."""

import asyncio
from contextlib import contextmanager

import pytest

from accounts.models import Membership, Team
from agents.memory.run import run_with_memory
from agents.models import Agent
from chat.answers.branching import branch_conversation
from chat.models import Conversation, Turn
from chat.services import start_turn
from chat.spoken import error_of
from events.hub import current_hub
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.models import Collection
from observability.db import run_sync
from tests.support.model_server import ModelServer, Script

from .stage import play, running

pytestmark = pytest.mark.django_db(transaction=True)

FAILS = Script(status=503, error={"error": {"message": "away"}})


@contextmanager
def serving():
    with ModelServer() as anybody, ModelServer() as trusted:
        yield anybody, trusted


@pytest.fixture
def servers(builtin):
    """Two endpoints of one model: the first may be shown nothing confidential."""
    with serving() as both:
        model = Model.objects.create(name="m", is_default=True)
        for priority, (name, server) in enumerate(zip(("anybody", "trusted"), both, strict=True)):
            labels = ["confidential", "eu"] if name == "trusted" else ["us"]
            endpoint = Endpoint.objects.create(name=name, base_url=server.url, labels=labels)
            Deployment.objects.create(
                model=model, endpoint=endpoint, upstream_name="up", priority=priority
            )
        forget_routes()
        yield both
        forget_routes()


async def answered(alice, text, **more):
    turn = await run_sync(start_turn, alice, more.pop("conversation", None), text, **more)
    async with asyncio.timeout(30):
        async for _row in current_hub().subscribe(turn.pk):
            pass
    return await run_sync(Turn.objects.select_related("answer", "conversation").get, pk=turn.pk)


def ask(alice, text, titled=None, **more):
    """The turn, once it has ended and `titled` was asked for a title."""
    found = []

    async def scenario():
        async with running(run_with_memory):
            found.append(await answered(alice, text, **more))
            if titled is not None:
                asked = await run_sync(titled.wait_for, lambda it: it.title_requests, 30)
                assert asked

    play(scenario)
    return found[0]


def test_without_a_demand_the_first_answers(alice, servers, settings):
    settings.PARLEY_WRITE_TITLES = False
    anybody, trusted = servers
    turn = ask(alice, "Why?")
    assert turn.status == "completed"
    assert (len(anybody.chat_requests), len(trusted.chat_requests)) == (1, 0)
    assert "labels_demanded" not in [step["kind"] for step in turn.answer.steps]


@pytest.mark.parametrize("who", ["agent", "team", "collection"])
def test_who_demands_a_label_is_obeyed_also_by_what_follows(alice, servers, who):
    """The title, and the next question, which brings the answer along and demands nothing."""
    anybody, trusted = servers
    more = {}
    if who == "agent":
        agent = Agent.objects.create(owner=alice, name="A", slug="a", required_labels=["eu"])
        more["agent"] = agent.slug
    elif who == "team":
        team = Team.objects.create(name="Legal", required_labels=["eu"])
        Membership.objects.create(team=team, user=alice)
    else:
        shelf = Collection.objects.create(owner=alice, name="Shelf", required_labels=["eu"])
        more["collections"] = [shelf.pk]
    first = ask(alice, "Why is the sky blue?", titled=trusted, **more)
    assert first.status == "completed"
    step = next(step for step in first.answer.steps if step["kind"] == "labels_demanded")
    assert step["data"]["labels"] == ["eu"]
    Agent.objects.update(required_labels=[])
    Team.objects.update(required_labels=[])
    Collection.objects.update(required_labels=[])
    second = ask(alice, "And at night?", conversation=first.conversation_id)
    assert second.status == "completed"
    assert len(trusted.chat_requests) == 2
    assert anybody.requests == []

    branch = branch_conversation(alice, first.conversation_id, first.answer_id)
    assert Conversation.objects.get(pk=branch.pk).demanded_labels == ["eu"]


def test_what_cannot_be_met_is_refused_and_says_who_demands_it(alice, servers):
    anybody, trusted = servers
    Agent.objects.create(
        owner=alice, name="Lawyer", slug="lawyer", required_labels=["eu", "on-premises"]
    )
    turn = ask(alice, "Why?", agent="lawyer")
    assert turn.status == "failed"
    assert turn.error["type"] == "label_unmet"
    assert "“on-premises” (the agent “Lawyer”)" in error_of(turn.error)["detail"]
    assert "“eu”" not in error_of(turn.error)["detail"]
    assert anybody.requests == trusted.requests == []


def test_what_failed_under_a_label_is_history_under_it(alice, servers):
    anybody, trusted = servers
    Agent.objects.create(owner=alice, name="Eu", slug="eu", required_labels=["eu"])
    trusted.default = Script(status=400, error={"error": {"message": "no"}})
    failed = ask(alice, "Our secret?", agent="eu")
    assert failed.status == "failed"
    trusted.default = Script(text="Because.")
    assert ask(alice, "Why?", conversation=failed.conversation_id).status == "completed"

    Agent.objects.create(owner=alice, name="No", slug="no", required_labels=["on-premises"])
    refused = ask(alice, "Our secret?", agent="no")
    followed = ask(alice, "Why?", conversation=refused.conversation_id)
    assert [turn.error["type"] for turn in (refused, followed)] == ["label_unmet"] * 2
    assert anybody.requests == []


def test_nobody_else_is_asked_when_those_with_the_label_fail(alice, servers, settings):
    settings.PARLEY_WRITE_TITLES = False
    anybody, trusted = servers
    trusted.default = FAILS
    Agent.objects.create(owner=alice, name="A", slug="a", required_labels=["confidential"])
    turn = ask(alice, "Why?", agent="a")
    assert (turn.status, turn.answer.model_name) == ("completed", "offline")
    assert trusted.chat_requests
    assert anybody.requests == []


def test_nobody_else_goes_on_in_mid_answer(alice, servers, settings):
    settings.PARLEY_WRITE_TITLES = False
    anybody, trusted = servers
    trusted.default = Script(text="It begins like this, and then", cut_after=4)
    Agent.objects.create(owner=alice, name="A", slug="a", required_labels=["confidential"])
    turn = ask(alice, "Why?", agent="a")
    assert turn.status == "failed"
    assert turn.answer.text.startswith("It begins")
    assert anybody.requests == []
