"""First questions of which the event loop itself makes rows: the same ones, by the same rights."""

import asyncio

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from agents.models import Agent
from agents.selectors import find_usable_agent
from chat.live.beginning import begin
from chat.live.requests import StartTurn
from chat.live.visitors import Visitor
from chat.models import Conversation, Message, Turn
from chat.services import start_turn
from events.models import Stream

pytestmark = pytest.mark.django_db(transaction=True)
OF_ITS_OWN = {
    "id", "conversation_id", "question_id", "answer_id", "parent_id", "leaf_id", "created_at",
    "updated_at",
}  # fmt: skip


@pytest.fixture
def visitor(alice):
    client = Client()
    client.force_login(alice)
    return Visitor(alice.pk, client.session.session_key, alice.password)


@pytest.fixture
def mine(alice):
    agent = Agent.objects.create(owner=alice, name="Mine", slug="mine", version=1)
    find_usable_agent(alice, "mine")  # somebody has asked it before
    return agent


def ask(visitor, **frame):
    return asyncio.run(begin(visitor, StartTurn.parse({"text": "Why?", "id": "1", **frame})))


def fields(row):
    names = {field.attname for field in row._meta.concrete_fields} - OF_ITS_OWN
    return {name: getattr(row, name) for name in names}


def rows_of(turn_id):
    turn = Turn.objects.get(pk=turn_id)
    stream = Stream.objects.get(pk=turn_id)
    rows = (turn, turn.question, turn.answer, turn.conversation, stream)
    return [fields(row) for row in rows]


@pytest.mark.parametrize("more", [{}, {"agent": "mine"}, {"agent": "mine", "temporary": True}])
def test_its_rows_are_those_of_the_usual_way(alice, builtin, mine, visitor, more):
    begun = ask(visitor, **more)
    usual = StartTurn.parse({"text": " Why?\0", "id": "2", **more}).start(alice)
    found, expected = rows_of(begun.pk), rows_of(usual.pk)
    for one in (found, expected):
        one[0].pop("idempotency_key")
        assert bool(one[3].pop("ends_at")) is ("temporary" in more)
    assert found == expected
    places = Turn.objects.get(pk=begun.pk)
    assert (begun.conversation_id, begun.question_id, begun.answer_id) == (
        places.conversation_id, places.question_id, places.answer_id,
    )  # fmt: skip
    assert places.conversation.leaf_id == begun.answer_id
    assert places.answer.parent_id == begun.question_id


def test_a_key_is_the_same_on_both_ways(alice, mine, visitor):
    begun = ask(visitor, agent="mine")
    assert ask(visitor, agent="mine") is None  # the usual way finds it
    asked = {"agent": "mine", "idempotency_key": "socket:1"}
    assert start_turn(alice, None, "Why?", **asked).pk == begun.pk
    assert Message.objects.count() == 2


def test_nothing_is_made_for_whoever_may_not(alice, bob, mine, visitor):
    theirs = Agent.objects.create(owner=bob, name="Theirs", slug="theirs", version=1)
    find_usable_agent(bob, "theirs")
    assert ask(visitor, agent="theirs") is None
    assert ask(visitor, agent=str(theirs.pk)) is None
    assert ask(visitor, agent="unknown") is None
    Agent.objects.filter(pk=mine.pk).update(version=0)  # not published
    assert ask(visitor, agent="mine") is None
    Agent.objects.filter(pk=mine.pk).update(version=1)
    changed = Visitor(alice.pk, visitor.session_key, "another password")
    assert ask(changed, agent="mine") is None
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert ask(visitor, agent="mine") is None
    type(alice).objects.filter(pk=alice.pk).update(is_active=True)
    Session.objects.all().delete()
    assert ask(visitor, agent="mine") is None
    assert not Conversation.objects.exists()
    assert not Stream.objects.exists()


def test_what_carries_more_is_asked_the_usual_way(alice, mine, visitor):
    talk = start_turn(alice, None, "First", agent="mine").conversation_id
    for more in (
        {"conversation": str(talk)}, {"collections": []}, {"model": "gpt"}, {"text": " "},
        {"attachments": [str(talk)]}, {"parent": str(talk)}, {"continues": str(talk)},
    ):  # fmt: skip
        assert ask(visitor, agent="mine", **more) is None
    assert Turn.objects.count() == 1
