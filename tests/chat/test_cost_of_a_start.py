"""What stands between a question and the runner, in round trips: times differ, counts do not."""

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.services import start_turn
from security.rate_limits import Action, spend
from security.rates import Per


@pytest.fixture
def asked_redis(monkeypatch):
    """The commands that went to Redis, one entry for each round trip."""
    trips = []
    send = redis.connection.AbstractConnection.send_packed_command

    def counted(self, command, *args, **kwargs):
        trips.append(command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)
    return trips


@pytest.mark.django_db(transaction=True)
def test_a_first_question_is_two_statements_without_a_transaction(alice, builtin):
    start_turn(alice, None, "Warm up", agent=builtin.slug)
    with CaptureQueriesContext(connection) as asked:
        start_turn(alice, None, "Why is the sky blue?", agent=builtin.slug)
    statements = [query["sql"].split()[0].lower() for query in asked]
    assert statements == ["select", "with"]


@pytest.mark.django_db(transaction=True)
def test_counting_a_question_and_ringing_for_it_are_one_round_trip_each(
    alice, builtin, asked_redis
):
    spend(Action.TURNS, {Per.PERSON: str(alice.pk), Per.ADDRESS: "::1"})
    start_turn(alice, None, "Warm up", agent=builtin.slug)
    asked_redis.clear()
    spend(Action.TURNS, {Per.PERSON: str(alice.pk), Per.ADDRESS: "::1"})
    start_turn(alice, None, "Why is the sky blue?", agent=builtin.slug)
    assert len(asked_redis) == 2
