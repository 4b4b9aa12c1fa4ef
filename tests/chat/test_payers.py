"""Who pays for an answer: the person, by which token, in which teams, with which agent."""

import pytest
from django.test import Client

from accounts import services, tokens
from agents.services import ensure_builtin_agents
from chat.models import Turn
from chat.services import create_conversation, start_turn
from chat.turns.work import claim_turns

pytestmark = pytest.mark.django_db


def test_a_question_by_a_token_is_paid_by_its_person_and_counted_for_the_token(alice):
    agent = ensure_builtin_agents(alice)
    team = services.create_team(alice, "Team")
    token, plaintext = tokens.issue(alice, "t")
    talk = create_conversation(alice)
    answered = Client().post(
        f"/api/v1/conversations/{talk.pk}/turns", {"text": "Why?", "agent": agent.slug},
        content_type="application/json", headers={"Authorization": f"Bearer {plaintext}"},
    )  # fmt: skip
    assert answered.status_code == 202, answered.content
    (work,) = claim_turns("runner", 5, 60)
    payer = work.task.payer()
    assert (payer.account_id, payer.token_id) == (alice.pk, token.pk)
    assert (payer.agent_id, payer.team_ids, payer.purpose) == (agent.pk, (team.pk,), "chat")
    assert work.task.payer("embedding").purpose == "embedding"


def test_a_question_in_a_browser_has_no_token(alice):
    turn = start_turn(alice, None, "Why?")
    assert Turn.objects.get(pk=turn.pk).token_id is None
    (work,) = claim_turns("runner", 5, 60)
    assert (work.task.payer().token_id, work.task.payer().team_ids) == (None, ())
