"""How many sentences a source stands behind: stored with the answer, added up for those who may."""

from datetime import UTC, timedelta
from uuid import uuid4

import pytest
from django.http import Http404
from django.utils import timezone

from agents.services import ensure_builtin_agents
from agents.types import CitationAdded, SupportChecked
from agents.usage.audience import mine, of_everybody
from agents.usage.spans import last_days
from chat.models import Conversation, Message, Turn
from chat.proof.charts import chart_of
from chat.proof.rates import read_proof
from chat.turns import progress
from chat.turns.types import Answer
from events.types import EventRow
from security.ids import new_id

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def answer(user, claims, supported, model="m", agent=None, **conversation):
    talk = Conversation.objects.create(owner=user, title="t", **conversation)
    question = Message.objects.create(conversation=talk, role="user", text="?")
    told = Message.objects.create(
        conversation=talk, parent=question, role="assistant", text="!", model_name=model,
        claims=claims, supported=supported,
    )  # fmt: skip
    Turn.objects.create(
        conversation=talk, question=question, answer=told, agent=agent, requested_by=user,
        status="completed",
    )  # fmt: skip
    return told


def test_rates_add_up_by_day_agent_and_model(alice, bob):
    agent = ensure_builtin_agents(alice)
    answer(alice, 3, 2, "large", agent)
    answer(alice, 1, 1, "offline", agent)
    answer(alice, None, None, "large")
    answer(alice, 5, 0, ends_at=NOW + timedelta(days=1))
    answer(alice, 5, 0, deleted_at=NOW)
    answer(bob, 5, 0)
    found = read_proof(mine(alice), last_days(7, UTC))
    assert (found.total.answers, found.total.claims, found.total.supported) == (2, 4, 3)
    assert found.total.percent == 75.0
    assert [(part.name, part.rate.claims) for part in found.agents] == [(agent.name, 4)]
    assert {part.name: part.rate.percent for part in found.models} == {
        "large": 66.7, "offline": 100.0,
    }  # fmt: skip
    chart = chart_of(found)
    assert [series.values[-1] for series in chart.series] == [75.0, 66.7, 100.0]
    assert all(value is None for series in chart.series for value in series.values[:-1])


def test_everybody_is_for_administrators_alone(alice, bob, admin):
    answer(alice, 4, 1)
    answer(bob, 4, 3)
    with pytest.raises(Http404):
        of_everybody(alice)
    assert read_proof(of_everybody(admin), last_days(7, UTC)).total.percent == 50.0
    assert read_proof(mine(admin), last_days(7, UTC)).total.percent is None


def test_the_page_and_the_api_say_the_same(client, alice, admin):
    answer(alice, 4, 3)
    client.force_login(alice)
    assert "75.0 %" in client.get("/settings/proof/").content.decode()
    assert client.get("/api/v1/me/proof").json()["total"]["percent"] == 75.0
    assert client.get("/settings/proof/everyone/").status_code == 404
    client.force_login(admin)
    assert "No answer with sources" in client.get("/settings/proof/").content.decode()
    assert "75.0 %" in client.get("/settings/proof/everyone/").content.decode()
    assert client.get("/api/v1/proof").json()["by_model"][0]["name"] == "m"


class Told:
    """What a stream would be told."""

    def __init__(self):
        self.rows = []

    def emit(self, kind, payload):
        self.rows.append(EventRow(len(self.rows), kind, payload, is_last=False))


def test_what_is_known_of_a_citation_survives_its_events():
    citation = CitationAdded(
        1, uuid4(), new_id(), "charge.py", ("charge",), "a\nb", 4, 7, None,
        line=10, method="fuzzy", score=0.9, at=12, is_proposed=True,
    )  # fmt: skip
    told, said = Told(), Answer()
    progress.record(citation, said, told)
    progress.record(SupportChecked(("x",), 3, 2), said, told)
    again = progress.rebuild(told.rows)
    assert again.citations == said.citations == [citation]
    assert (again.claims, again.supported) == (3, 2)
    assert told.rows[0].payload["lines"] == [10, 11]
