"""What people say about answers: theirs, changeable, and exported without formulas."""

import csv
import io

import pytest
from django.http import Http404
from django.test import Client
from django.urls import reverse

from accounts.models import Grant
from accounts.services import share
from chat.answers.feedback import find_feedback, rate_answer, take_back
from chat.models import Conversation, Feedback, Message
from chat.services import start_turn
from security.models import AuditEntry


@pytest.fixture
def answered(alice, builtin):
    turn = start_turn(alice, None, "Why?")
    Message.objects.filter(pk=turn.answer_id).update(
        status="complete", text="Because.", model_name="small"
    )
    return turn


def test_one_opinion_a_person_and_answer(alice, bob, answered):
    talk = Conversation.objects.get(pk=answered.conversation_id)
    share(talk, bob, Grant.Role.READER, by=alice)
    rate_answer(alice, answered.answer_id, Feedback.Rating.GOOD)
    rate_answer(bob, answered.answer_id, Feedback.Rating.BAD, ["wrong"], "No.")
    rate_answer(alice, answered.answer_id, Feedback.Rating.BAD, ["style", "odd"], " Too long. ")
    said = find_feedback(alice, answered.answer_id)
    assert (said.rating, said.reasons, said.comment) == (-1, ["style"], "Too long.")
    assert (said.model_name, said.agent_id) == ("small", answered.agent_id)
    assert Feedback.objects.count() == 2
    take_back(alice, answered.answer_id)
    take_back(alice, answered.answer_id)
    assert Feedback.objects.get().person == bob


def test_only_of_answers_one_may_see(alice, charlie, answered):
    for person, message in ((charlie, answered.answer_id), (alice, answered.question_id)):
        with pytest.raises(Http404):
            rate_answer(person, message, Feedback.Rating.GOOD)
        with pytest.raises(Http404):
            take_back(person, message)


def test_anothers_opinion_is_nobodys_to_read(alice, bob, answered):
    talk = Conversation.objects.get(pk=answered.conversation_id)
    share(talk, bob, Grant.Role.EDITOR, by=alice)
    rate_answer(alice, answered.answer_id, Feedback.Rating.GOOD)
    with pytest.raises(Http404):
        find_feedback(bob, answered.answer_id)
    assert not Feedback.objects.visible_to(bob).exists()


def test_the_api(api_for, alice, answered):
    api = api_for(alice)
    place = f"/messages/{answered.answer_id}/feedback"
    assert api.get(place).status_code == 404
    said = api("PUT", place, {"rating": "bad", "reasons": ["unsourced"], "comment": "Page 3."})
    assert said.json() | {"updated_at": ""} == {
        "message_id": str(answered.answer_id), "rating": "bad", "reasons": ["unsourced"],
        "comment": "Page 3.", "updated_at": "",
    }  # fmt: skip
    assert api.get(place).json()["rating"] == "bad"
    assert api("PUT", place, {"rating": "so-so"}).status_code == 422
    assert api("PUT", place, {"rating": "bad", "comment": "x" * 2001}).status_code == 422
    assert api.delete(place).status_code == 204
    assert api.get(place).status_code == 404


def test_the_administration_filters_and_exports_without_formulas(alice, admin, answered):
    rate_answer(alice, answered.answer_id, Feedback.Rating.BAD, ["wrong"], "=HYPERLINK(1)")
    client = Client()
    client.force_login(admin)
    place = reverse("admin:chat_feedback_changelist")
    assert "=HYPERLINK(1)" in client.get(place, {"rating__exact": -1}).content.decode()
    assert "=HYPERLINK(1)" not in client.get(place, {"rating__exact": 1}).content.decode()
    chosen = {"action": "export", "_selected_action": [str(Feedback.objects.get().pk)]}
    response = client.post(place, chosen)
    (row,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
    assert (row["rating"], row["model"], row["reasons"]) == ("bad", "small", "wrong")
    assert row["comment"] == "'=HYPERLINK(1)"
    assert AuditEntry.objects.filter(act="feedback.exported", detail__rows=1).exists()
