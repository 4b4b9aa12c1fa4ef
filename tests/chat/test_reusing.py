"""What a runner is told of answers that may be given again."""

import pytest

from agents.models import Agent
from agents.reuse.answers import ANSWERS
from agents.reuse.types import Answer, now
from caching import servers
from caching.cache import Hit
from chat import services as chat
from chat.retention.deletion import delete_conversation
from chat.turns.work import claim_turns
from tests.caching.conftest import run

pytestmark = pytest.mark.django_db(transaction=True)


def claimed():
    (work,) = claim_turns("test", 10, 30.0)
    return work.task


@pytest.fixture
def keeper(alice):
    return Agent.objects.create(owner=alice, name="Keeper", slug="keeper", reuse="shared",
        reuse_seconds=3600, similarity=90)  # fmt: skip


def test_the_agent_says_whether_and_for_how_long(alice, keeper):
    chat.start_turn(alice, None, "Where?", agent="keeper")
    task = claimed()
    assert (task.agent.reuse, task.agent.reuse_seconds, task.agent.similarity) == (
        "shared", 3600, 0,
    )  # fmt: skip
    assert (task.is_temporary, task.is_anew, task.agent.id) == (False, False, keeper.pk)
    assert task.conversation_id
    Agent.objects.update(reuses_similar=True)
    chat.start_turn(alice, None, "Where?", agent="keeper")
    assert claimed().agent.similarity == 90


def test_a_temporary_conversation_is_told_apart(alice, keeper):
    chat.start_turn(alice, None, "Where?", agent="keeper", temporary=True)
    assert claimed().is_temporary


def test_answering_again_wants_another_answer(alice, keeper):
    first = chat.start_turn(alice, None, "Where?", agent="keeper")
    assert not claimed().is_anew
    chat.start_turn(alice, first.conversation_id, "", question=first.question_id, agent="keeper")
    assert claimed().is_anew


def test_with_a_conversation_go_the_answers_kept_for_who_deletes_it(
    alice, bob, keeper, monkeypatch
):
    """Not those of others, and not for a temporary one, of which nothing was kept."""
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 20)
    cache = ANSWERS[3600]

    async def is_kept(person):
        found = await cache.find(["one", str(person.pk)], [f"person:{person.pk}"])
        if isinstance(found, Hit):
            return True
        async with found as flight:
            await flight.keep(Answer("Here.", "m", "e", now()))
            return False

    def both():
        return [run(is_kept(person)) for person in (alice, bob)]

    turns = [
        chat.start_turn(alice, None, "Where?", agent="keeper", temporary=temporary)
        for temporary in (True, False)
    ]
    assert both() == [False, False]
    delete_conversation(alice, turns[0].conversation_id)
    assert both() == [True, True]
    delete_conversation(alice, turns[1].conversation_id)
    assert both() == [False, True]
