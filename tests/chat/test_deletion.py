"""Deleting a conversation: out of sight at once, back within the grace, gone for good after it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Grant
from accounts.services import share
from chat import services
from chat.live.visitors import find_forbidden, may_follow
from chat.models import Conversation, Message, Turn
from chat.retention import deletion
from chat.selectors import find_conversation, find_turn, list_conversations, list_messages
from chat.services import start_turn
from chat.sidebar.history import list_history
from events.models import Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn(alice, bob) -> Turn:
    """Alice's question, in a conversation that bob may write in."""
    asked = start_turn(alice, None, "One?", idempotency_key="key")
    share(asked.conversation, bob, "editor", by=alice)
    return asked


def let_grace_pass(conversation_id) -> None:
    long_ago = timezone.now() - deletion.GRACE - timedelta(seconds=1)
    Conversation.objects.filter(pk=conversation_id).update(deleted_at=long_ago)


def test_it_is_out_of_sight_everywhere_and_at_once(alice, bob, turn):
    talk = turn.conversation_id
    deletion.delete_conversation(alice, talk)
    for person in (alice, bob):
        assert not list_conversations(person).exists()
        assert list_history(person) == []
        assert not may_follow(person, turn.pk)
        for attempt in (
            lambda who=person: find_conversation(who, talk),
            lambda who=person: list_messages(who, talk),
            lambda who=person: find_turn(who, turn.pk),
            lambda who=person: start_turn(who, talk, "More?"),
            lambda who=person: services.stop_turn(who, turn.pk),
            lambda who=person: services.rename_conversation(who, talk, "Mine"),
            lambda who=person: services.choose_collections(who, talk, []),
            lambda who=person: deletion.delete_conversation(who, talk),
        ):
            with pytest.raises(Http404):
                attempt()
    assert find_forbidden({(alice.pk, turn.pk)}) == {(alice.pk, turn.pk)}


def test_the_key_of_its_question_finds_nothing_any_more(alice, turn):
    deletion.delete_conversation(alice, turn.conversation_id)
    with pytest.raises(Http404):
        start_turn(alice, None, "One?", idempotency_key="key")


def test_a_running_answer_is_asked_to_stop(alice, turn):
    deletion.delete_conversation(alice, turn.conversation_id)
    turn.refresh_from_db()
    assert turn.stop_requested_at is not None


def test_it_comes_back_as_it_was(alice, bob, turn):
    talk = turn.conversation_id
    before = find_conversation(alice, talk).updated_at
    deletion.delete_conversation(alice, talk)
    deletion.restore_conversation(alice, talk)
    deletion.restore_conversation(alice, talk)
    assert find_conversation(bob, talk).updated_at == before
    assert list_messages(alice, talk).count() == 2


def test_only_an_owner_restores(alice, bob, charlie, turn):
    deletion.delete_conversation(alice, turn.conversation_id)
    for person in (bob, charlie):
        with pytest.raises(Http404):
            deletion.restore_conversation(person, turn.conversation_id)
    assert not list_conversations(alice).exists()


def test_after_the_grace_nothing_is_left(alice, bob, turn):
    kept = start_turn(alice, None, "Two?")
    fresh = start_turn(alice, None, "Three?")
    share(kept.conversation, bob, "reader", by=alice)
    deletion.delete_conversation(alice, turn.conversation_id)
    deletion.delete_conversation(alice, fresh.conversation_id)
    let_grace_pass(turn.conversation_id)
    assert deletion.purge_deleted() == 1
    assert deletion.purge_deleted() == 0
    with pytest.raises(Http404):
        deletion.restore_conversation(alice, turn.conversation_id)
    assert [grant.object_id for grant in Grant.objects.all()] == [kept.conversation_id]
    assert {stream.pk for stream in Stream.objects.all()} == {kept.pk, fresh.pk}
    assert {message.conversation_id for message in Message.objects.all()} == {
        kept.conversation_id,
        fresh.conversation_id,
    }


def test_a_purge_does_not_ask_once_a_conversation(alice):
    def purge(number: int) -> int:
        for n in range(number):
            turn = start_turn(alice, None, f"{n}?")
            deletion.delete_conversation(alice, turn.conversation_id)
            let_grace_pass(turn.conversation_id)
        with CaptureQueriesContext(connection) as queries:
            assert deletion.purge_deleted() == number
        return len(queries)

    assert purge(2) == purge(20)


def test_over_the_api(alice, bob, api_for, turn):
    place = f"/conversations/{turn.conversation_id}"
    owner, editor = api_for(alice, "chat"), api_for(bob, "chat")
    assert editor.post(f"{place}/restore").status_code == 403
    assert owner.delete(place).status_code == 204
    assert owner.delete(place).status_code == owner.get(place).status_code == 404
    assert editor.post(f"{place}/restore").status_code == 404
    assert owner.post(f"{place}/restore").json()["title"] == "One?"
    assert owner.get(place).status_code == 200
