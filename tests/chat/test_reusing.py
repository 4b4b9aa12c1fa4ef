"""What a runner is told of answers that may be given again."""

import pytest

from agents.models import Agent
from chat import services as chat
from chat.turns.work import claim_turns

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
