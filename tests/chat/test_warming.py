"""Frequent questions asked in advance: which, on whose behalf, and that nobody waits again."""

import asyncio

import pytest
from django.core.management import call_command

from accounts.models import Membership, Team
from agents.loop import run_agent
from agents.models import Agent
from agents.reuse.answers import ANSWERS
from agents.types import AnswerReused
from caching import servers
from caching.flushing import flush
from chat import services as chat
from chat.models import Conversation
from chat.turns.work import claim_turns
from chat.warming.frequent import list_frequent
from events import jobs
from events.models import Job
from gateway.models import Endpoint
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How often does the lamp flash?"


@pytest.fixture(autouse=True)
def _calm(monkeypatch):
    """A busy machine is not a Redis that is away."""
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 20)
    for cache in ANSWERS.values():
        flush(cache.name)
    yield
    forget_routes()


@pytest.fixture
def keeper(alice, model_server):
    endpoint = Endpoint.objects.create(name="loopback", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    forget_routes()
    model_server.default = Script(text="Every twelve seconds.")
    return Agent.objects.create(owner=alice, name="Keeper", slug="keeper", reuse="person")


def ask(user, times=3, question=QUESTION, **more):
    for _ in range(times):
        chat.start_turn(user, None, question, agent="keeper", **more)


def frequent(least=3):
    return [(one.user, one.question, one.times) for one in list_frequent(30, least, 100)]


def test_what_was_asked_often_is_answered_before_it_is_asked_again(alice, keeper, model_server):
    ask(alice, 2)
    ask(alice, 1, f"  {QUESTION.upper()} ")
    ask(alice, 2, "Who pays?")
    assert frequent() == [(alice, QUESTION.upper(), 3)]
    Agent.objects.update(reuse="shared")
    ask(alice, 1)
    call_command("warm_caches", "--least", "3")
    jobs.run(str(Job.objects.get().pk))
    assert Job.objects.get().status == Job.Status.SUCCEEDED
    assert len(model_server.chat_requests) == 1
    works = claim_turns("test", 10, 30.0)
    task = next(work.task for work in works if work.task.question == QUESTION)

    async def listen():
        try:
            return [step async for step in run_agent(task)]
        finally:
            await close_pool()

    assert any(isinstance(step, AnswerReused) for step in asyncio.run(listen()))
    assert len(model_server.chat_requests) == 1


def test_what_is_not_asked_in_advance(alice, bob, keeper):
    ask(alice, question="Temporary?", temporary=True)
    ask(alice, question="With another model?", model="scripted")
    first = chat.start_turn(alice, None, "Once?", agent="keeper")
    for _ in range(3):
        chat.start_turn(alice, first.conversation_id, "And then?", agent="keeper")
    ask(alice)
    assert frequent() == [(alice, QUESTION, 3)]
    Conversation.objects.filter(title__startswith="How").update(is_limited=True)
    assert frequent() == []
    Conversation.objects.update(is_limited=False)
    Agent.objects.update(required_labels=["inside"])
    assert frequent() == []
    Agent.objects.update(required_labels=[], reuse="off")
    assert frequent() == []
    Agent.objects.update(reuse="person")
    team = Team.objects.create(name="Inside", required_labels=["inside"])
    Membership.objects.create(team=team, user=alice)
    assert frequent() == []
    team.delete()
    assert frequent() == [(alice, QUESTION, 3)]
    Agent.objects.update(owner=bob)
    assert frequent() == []  # who asked may not use it any more
    Agent.objects.update(owner=alice)
    alice.is_active = False
    alice.save()
    assert frequent() == []


def test_it_is_counted_for_each_person_unless_the_agent_shares(alice, bob, keeper):
    Agent.objects.update(is_builtin=True)
    ask(alice, 2)
    ask(bob, 1)
    assert frequent() == []
    Agent.objects.update(reuse="shared")
    assert frequent() == [(bob, QUESTION, 3)]


def test_a_dry_run_asks_nobody(alice, keeper, capsys):
    call_command("warm_caches")
    assert "No question" in capsys.readouterr().out
    ask(alice)
    call_command("warm_caches", "--dry-run")
    assert f"3 × Keeper: {QUESTION}" in capsys.readouterr().out
    assert not Job.objects.exists()
