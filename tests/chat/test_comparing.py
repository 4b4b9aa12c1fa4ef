"""Answers side by side: who stands beside whom, until one of them is chosen."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Grant
from accounts.services import share
from agents.models import Agent
from chat.answers.comparing import members_of, prefer_answer
from chat.answers.variants import with_variants
from chat.models import Conversation, Message, Preference, Turn
from chat.services import start_turn
from chat.thread import list_thread
from security.ids import new_id


def finish(*turns, model=""):
    for turn in turns:
        Turn.objects.filter(pk=turn.pk).update(status="completed")
        Message.objects.filter(pk=turn.answer_id).update(
            status="complete", text="Because.", model_name=model or turn.model_name
        )


@pytest.fixture
def pair(alice, builtin):
    """Two answers side by side."""
    Agent.objects.create(owner=alice, name="Scribe", slug="scribe")
    first = start_turn(alice, None, "Why?")
    second = start_turn(
        alice, first.conversation_id, "", question=first.question_id, beside=first.answer_id,
        agent="scribe",
    )  # fmt: skip
    return first, second


def columns(user, turn):
    talk = Conversation.objects.get(pk=turn.conversation_id)
    last = with_variants(talk, user, list_thread(talk, user))[-1]
    return [item.message.pk for item in last.variants.columns]


def test_answers_stand_side_by_side_while_they_run_and_after(alice, pair):
    first, second = pair
    both = [first.answer_id, second.answer_id]
    assert columns(alice, first) == both
    finish(first)
    assert columns(alice, first) == both
    finish(second)
    assert columns(alice, first) == both


def test_a_third_joins_beside_any_of_them(alice, pair):
    first, second = pair
    third = start_turn(
        alice, first.conversation_id, "", question=first.question_id, beside=second.answer_id
    )
    assert third.comparison == first.answer_id
    turns = members_of(first.question_id, first.answer_id)
    assert [turn.pk for turn in turns] == [first.pk, second.pk, third.pk]


def test_an_answer_stands_beside_answers_to_its_own_question_only(alice, pair):
    first, _second = pair
    other = start_turn(alice, None, "What else?")
    for beside in (other.answer_id, first.question_id, new_id()):
        with pytest.raises(Http404):
            start_turn(alice, first.conversation_id, "", question=first.question_id, beside=beside)


def test_the_chosen_one_is_shown_and_goes_on(alice, pair):
    first, second = pair
    finish(first, model="small")
    finish(second, model="large")
    prefer_answer(alice, second.answer_id)
    talk = Conversation.objects.get(pk=first.conversation_id)
    assert (talk.leaf_id, talk.agent.slug) == (second.answer_id, "scribe")
    assert columns(alice, first) == []
    preference = Preference.objects.get()
    assert (preference.model_name, preference.others) == ("large", ["small"])
    assert preference.person == alice
    follow_up = start_turn(alice, talk.pk, "And then?")
    assert follow_up.question.parent_id == second.answer_id
    assert follow_up.agent.slug == "scribe"


def test_another_choice_replaces_the_first(alice, pair):
    first, second = pair
    finish(first, second)
    prefer_answer(alice, second.answer_id)
    prefer_answer(alice, first.answer_id)
    assert Preference.objects.get().message_id == first.answer_id
    assert Conversation.objects.get(pk=first.conversation_id).leaf_id == first.answer_id


def test_a_version_by_itself_is_chosen_without_a_preference(alice, builtin):
    first = start_turn(alice, None, "Why?")
    again = start_turn(alice, first.conversation_id, "", question=first.question_id)
    assert columns(alice, again) == []
    prefer_answer(alice, first.answer_id)
    assert Conversation.objects.get(pk=first.conversation_id).leaf_id == first.answer_id
    assert not Preference.objects.exists()


def test_choosing_an_earlier_answer_shows_what_followed_it(alice, pair):
    first, second = pair
    finish(first, second)
    later = start_turn(alice, first.conversation_id, "And?", parent=first.answer_id)
    prefer_answer(alice, second.answer_id)
    prefer_answer(alice, first.answer_id)
    assert Conversation.objects.get(pk=first.conversation_id).leaf_id == later.answer_id


def test_who_may_choose(alice, bob, charlie, pair):
    first, second = pair
    talk = Conversation.objects.get(pk=first.conversation_id)
    share(talk, bob, Grant.Role.READER, by=alice)
    with pytest.raises(PermissionDenied):
        prefer_answer(bob, second.answer_id)
    with pytest.raises(Http404):
        prefer_answer(charlie, second.answer_id)
    with pytest.raises(Http404):
        prefer_answer(alice, first.question_id)


def test_versions_say_who_answered(alice, pair):
    first, second = pair
    finish(first, model="small")
    finish(second, model="offline")
    prefer_answer(alice, second.answer_id)
    talk = Conversation.objects.get(pk=first.conversation_id)
    shown = with_variants(talk, alice, list_thread(talk, alice))[-1].variants
    assert [version.label for version in shown.versions] == [
        "Documents · small",
        "Scribe · no model connected",
    ]
    assert [version.is_shown for version in shown.versions] == [False, True]
