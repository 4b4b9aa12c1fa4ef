import threading
import time

import pytest
from django.db import connection, transaction
from django.http import Http404

from accounts.services import share
from agents.models import Agent
from chat import services
from chat.errors import EmptyQuestion, KeyReused, NotAnAnswerable, QuestionTooLong
from chat.models import Conversation, Message, Turn
from chat.retention import deletion
from chat.services import Place, start_turn
from chat.turns import progress
from chat.turns.finishing import finish_turn
from chat.turns.types import Answer
from chat.turns.work import claim_turns
from events.models import Stream
from knowledge.models import Collection
from security.ids import new_id


def test_a_first_question_begins_a_conversation(alice, builtin):
    turn = start_turn(alice, None, "  Why is the\nsky blue?\0 ")
    turn.refresh_from_db()
    assert turn.conversation.title == "Why is the sky blue?"
    assert turn.conversation.owner == alice
    assert turn.conversation.leaf_id == turn.answer_id
    assert turn.question.text == "Why is the\nsky blue?"
    assert (turn.answer.parent, turn.answer.status) == (turn.question, "running")
    assert (turn.status, turn.agent) == ("queued", builtin)
    stream = Stream.objects.get(pk=turn.pk)
    assert (stream.kind, stream.state) == ("turn", "queued")


def test_questions_follow_each_other_and_branch(alice):
    first = start_turn(alice, None, "One?")
    talk = first.conversation_id
    second = start_turn(alice, talk, "Two?")
    assert second.question.parent_id == first.answer_id
    edited = start_turn(alice, talk, "Two, really?", parent=first.answer_id)
    assert edited.question.parent_id == first.answer_id
    again = start_turn(alice, talk, "", question=edited.question_id)
    assert again.question_id == edited.question_id
    assert again.answer_id != edited.answer_id
    by_parent = start_turn(alice, talk, "", parent=edited.question_id)
    assert by_parent.question_id == edited.question_id
    root = start_turn(alice, talk, "Another first?", parent=Place.ROOT)
    assert root.question.parent_id is None
    assert Message.objects.filter(conversation=talk).count() == 10
    assert Conversation.objects.get(pk=talk).leaf_id == root.answer_id


def test_what_cannot_be_asked(alice):
    turn = start_turn(alice, None, "One?")
    talk = turn.conversation_id
    with pytest.raises(EmptyQuestion):
        start_turn(alice, talk, " \n ")
    with pytest.raises(QuestionTooLong):
        start_turn(alice, talk, "x" * (services.MAX_QUESTION + 1))
    with pytest.raises(NotAnAnswerable):
        start_turn(alice, talk, "", question=turn.answer_id)
    with pytest.raises(NotAnAnswerable):
        start_turn(alice, talk, "more", parent=turn.question_id)
    assert Turn.objects.count() == 1


def test_nobody_asks_in_or_with_what_is_not_theirs(alice, bob, charlie):
    talk = start_turn(alice, None, "One?").conversation
    other = start_turn(bob, None, "Bob's").conversation
    hidden = Collection.objects.create(owner=alice, name="Private")
    agent = Agent.objects.create(owner=alice, name="Mine", slug="mine")
    for attempt in (
        lambda: start_turn(bob, talk.pk, "Mine?"),
        lambda: start_turn(bob, new_id(), "Nothing?"),
        lambda: start_turn(bob, other.pk, "x", parent=talk.leaf_id),
        lambda: start_turn(bob, None, "x", collections=[hidden.pk]),
        lambda: start_turn(bob, None, "x", agent=str(agent.pk)),
        lambda: start_turn(bob, None, "x", agent="mine"),
        lambda: services.rename_conversation(bob, talk.pk, "Stolen"),
        lambda: deletion.delete_conversation(bob, talk.pk),
        lambda: services.stop_turn(bob, talk.turns.get().pk),
        lambda: services.pin_conversation(bob, talk.pk, is_pinned=True),
    ):
        with pytest.raises(Http404):
            attempt()
    share(talk, bob, "reader", by=alice)
    with pytest.raises(Http404):
        start_turn(bob, talk.pk, "Still only reading?")
    share(talk, bob, "editor", by=alice)
    assert start_turn(bob, talk.pk, "Now?").requested_by == bob
    with pytest.raises(Http404):
        deletion.delete_conversation(bob, talk.pk)
    alice.is_active = False
    with pytest.raises(Http404):
        start_turn(alice, talk.pk, "Disabled?")


def test_choices_are_remembered(alice):
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    agent = Agent.objects.create(owner=alice, name="Mine", slug="mine")
    turn = start_turn(alice, None, "One?", agent="mine", collections=[shelf.pk])
    assert (turn.agent, turn.collections) == (agent, [str(shelf.pk)])
    assert list(turn.conversation.collections.all()) == [shelf]
    later = start_turn(alice, turn.conversation_id, "Two?")
    assert (later.agent, later.collections) == (agent, None)
    changed = start_turn(alice, turn.conversation_id, "Three?", collections=[])
    assert changed.collections == []
    assert not changed.conversation.collections.exists()


def test_stopping_twice_is_once(alice):
    turn = start_turn(alice, None, "One?")
    services.stop_turn(alice, turn.pk)
    turn.refresh_from_db()
    asked_at = turn.stop_requested_at
    assert asked_at is not None
    services.stop_turn(alice, turn.pk)
    turn.refresh_from_db()
    assert turn.stop_requested_at == asked_at
    with pytest.raises(Http404):
        services.stop_turn(alice, new_id())


def test_organising(alice):
    talk = services.create_conversation(alice, agent=None)
    services.rename_conversation(alice, talk.pk, "  New \n title ")
    services.pin_conversation(alice, talk.pk, is_pinned=True)
    services.archive_conversation(alice, talk.pk, is_archived=True)
    talk.refresh_from_db()
    assert (talk.title, talk.is_pinned) == ("New title", True)
    assert talk.archived_at is not None
    turn = start_turn(alice, talk.pk, "Question?")
    assert turn.conversation.title == "New title"


@pytest.mark.django_db(transaction=True)
def test_twenty_identical_requests_at_once_are_one_turn(alice):
    talk = services.create_conversation(alice)
    start = threading.Barrier(20)
    turns, errors = [], []

    def ask():
        start.wait()
        try:
            turns.append(start_turn(alice, talk.pk, "Once?", idempotency_key="key"))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({(t.pk, t.question_id, t.answer_id, t.conversation_id) for t in turns}) == 1
    assert Message.objects.count() == 2
    assert Stream.objects.count() == 1
    with pytest.raises(KeyReused):
        start_turn(alice, talk.pk, "Another?", idempotency_key="key")


@pytest.mark.django_db(transaction=True)
def test_a_key_stands_for_one_request_only(alice):
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    agent = Agent.objects.create(owner=alice, name="Mine", slug="mine")
    one, other = (services.create_conversation(alice) for _ in range(2))
    first = start_turn(alice, one.pk, "Why?")
    asked = {"conversation": one.pk, "text": "Why?", "agent": "mine", "collections": [shelf.pk]}
    turn = start_turn(alice, **asked, idempotency_key="key")
    assert start_turn(alice, **asked | {"agent": str(agent.pk)}, idempotency_key="key") == turn
    for change in (
        {"conversation": other.pk},
        {"conversation": None},
        {"text": "Why not?"},
        {"parent": first.answer_id},
        {"parent": Place.ROOT},
        {"agent": None},
        {"collections": None},
        {"collections": []},
        {"text": "", "question": first.question_id},
    ):
        with pytest.raises(KeyReused):
            start_turn(alice, **asked | change, idempotency_key="key")
    begun = start_turn(alice, None, "New?", idempotency_key="new")
    assert start_turn(alice, None, "New?", idempotency_key="new") == begun
    with pytest.raises(KeyReused):
        start_turn(alice, begun.conversation_id, "New?", idempotency_key="new")


@pytest.mark.django_db(transaction=True)
def test_questions_at_once_line_up(alice):
    talk = services.create_conversation(alice)
    start = threading.Barrier(4)
    errors = []

    def ask(number):
        start.wait()
        try:
            start_turn(alice, talk.pk, f"Question {number}?")
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    talk.refresh_from_db()
    parents = dict(Message.objects.values_list("pk", "parent_id"))
    path = [talk.leaf_id]
    while parents[path[-1]]:
        path.append(parents[path[-1]])
    assert len(path) == len(parents) == 8


def test_a_choice_of_collections_outlives_them(alice):
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    asked = start_turn(alice, None, "One?", collections=[shelf.pk]).conversation
    made = services.create_conversation(alice, collections=[shelf.pk])
    chosen = services.create_conversation(alice)
    services.choose_collections(alice, chosen.pk, [shelf.pk])
    free = services.create_conversation(alice)
    later = services.create_conversation(alice)
    start_turn(alice, later.pk, "Two?", collections=[shelf.pk])
    shelf.delete()
    for talk in (asked, made, chosen, free, later):
        talk.refresh_from_db()
        assert talk.is_limited == (talk != free)
    start_turn(alice, later.pk, "Everywhere?", collections=[])
    services.choose_collections(alice, chosen.pk, [])
    for talk in (later, chosen):
        talk.refresh_from_db()
        assert not talk.is_limited


def test_text_that_cannot_be_stored_is_cleaned(alice, builtin):
    turn = start_turn(alice, None, "bad \udcff\0\ud800 end", agent="documents\0")
    turn.refresh_from_db()
    assert (turn.question.text, turn.conversation.title) == ("bad  end", "bad end")
    assert turn.agent == builtin
    with pytest.raises(EmptyQuestion):
        start_turn(alice, None, "\0 \ud800")


@pytest.mark.django_db(transaction=True)
def test_keys_of_different_people_do_not_meet(alice, bob):
    one = start_turn(alice, None, "Same?", idempotency_key="key")
    two = start_turn(bob, None, "Same?", idempotency_key="key")
    assert one.pk != two.pk


@pytest.mark.django_db(transaction=True)
def test_f24_a_question_sent_again_while_its_answer_ends_waits_for_nobody_who_waits(alice):
    talk = services.create_conversation(alice).pk
    turn = start_turn(alice, talk, "Once?", idempotency_key="same")
    (work,) = claim_turns("runner", 1, 60)
    answer = Answer(text=["Yes."])

    def finish():
        ending = progress.completed(answer, turn.answer_id)
        finish_turn(work.claim, turn.answer_id, answer, ending)
        connection.close()

    ends = threading.Thread(target=finish)
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).get(pk=talk)
        ends.start()
        wait_for_one_that_waits()
        assert start_turn(alice, talk, "Once?", idempotency_key="same").pk == turn.pk
    ends.join()
    turn.refresh_from_db()
    assert (turn.status, turn.answer.text) == ("completed", "Yes.")


def wait_for_one_that_waits():
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where not granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")
