"""Which turns take memory along, and what a runner keeps of it."""

from functools import partial

import pytest

from accounts.models import Membership, Team, User
from accounts.services import share
from agents.memory import services as memory
from agents.memory.models import Memory
from agents.memory.run import run_with_memory
from agents.models import Agent
from chat import services as chat
from chat.models import Message
from chat.turns.work import claim_turns
from tests.chat.stage import ScriptedAgent, play, running, socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def remembered(alice):
    memory.choose_mode(alice, User.Memory.NOTICED)
    memory.add_memory(alice, "I live in Munich")
    return alice


def claimed():
    (work,) = claim_turns("test", 10, 30.0)
    return work.task


def test_ones_own_conversation_takes_memory_along(remembered):
    chat.start_turn(remembered, None, "Where?")
    task = claimed()
    assert (task.has_memory, task.may_notice) == (True, True)
    assert [known.text for known in task.memories] == ["I live in Munich"]


@pytest.mark.parametrize("case", ["off", "temporary", "guest", "installation"])
def test_others_neither_read_nor_write_it(remembered, bob, settings, case):
    conversation = None
    if case == "off":
        memory.choose_mode(remembered, User.Memory.OFF)
    if case == "installation":
        settings.PARLEY_MEMORY = False
    if case == "guest":
        theirs = chat.create_conversation(bob, "Bob's")
        share(theirs, remembered, "editor", by=bob)
        conversation = theirs.pk
    chat.start_turn(remembered, conversation, "Where?", temporary=case == "temporary")
    task = claimed()
    assert not task.has_memory
    assert not task.may_notice
    assert task.memories == ()


@pytest.mark.parametrize("by", ["agent", "team"])
def test_what_is_said_under_a_label_is_not_noticed_for_conversations_without_it(remembered, by):
    agent = Agent.objects.create(name="Counsel", slug="counsel", owner=remembered)
    demanding = agent if by == "agent" else Team.objects.create(name="Legal")
    demanding.required_labels = ["eu"]
    demanding.save()
    if by == "team":
        Membership.objects.create(user=remembered, team=demanding)
    chat.start_turn(remembered, None, "I live in Graz. Where?", agent=agent.slug)
    task = claimed()
    assert [demand.kind for demand in task.demands] == [by]
    assert task.may_notice == (by == "team")  # whose label holds in every conversation


def test_a_wish_is_kept_and_the_answer_remembers_which(remembered):
    turn = chat.start_turn(remembered, None, "Remember that I like tea.")
    again = chat.start_turn(remembered, None, "Where?")
    agent = partial(run_with_memory, run=ScriptedAgent(words=["Here."]))

    async def scenario():
        async with running(agent), socket(remembered) as tab:
            for asked in (turn, again):
                await tab.send(type="subscribe", stream=str(asked.pk), after=0)
                await tab.until("message_completed")

    play(scenario)
    tea = Memory.objects.get(text="I like tea")
    assert tea.origin == "asked"
    steps = {
        asked.pk: {step["kind"]: step["data"] for step in asked.steps}
        for asked in Message.objects.filter(pk__in=[turn.answer_id, again.answer_id])
    }
    assert steps[turn.answer_id]["memories_saved"] == {"ids": [str(tea.pk)]}
    assert "memories_used" in steps[again.answer_id]
    assert "tea" not in str(steps)
