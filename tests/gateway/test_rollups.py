"""What calls add up to: equal to the rows, whatever comes late, twice, or is interrupted."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models import Sum

from gateway.metering import rollups
from gateway.metering.partitions import USAGE, keep
from gateway.metering.recording import record_call, record_lost_call
from gateway.metering.rollups import BY, roll_up
from gateway.models import Usage, UsageChange, UsageDay, UsageHour, UsageMark
from gateway.types import CallRecord, Payer, TokenUsage
from security.ids import first_id_at

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)
TEAMS = [[], [uuid4()], [uuid4(), uuid4()]]
PEOPLE = [uuid4(), uuid4(), None]


@pytest.fixture(autouse=True)
def _begin_anew():
    UsageMark.objects.all().delete()


def call(at=NOW, **values):
    values = {"model_name": "m", "prompt_tokens": 10, "completion_tokens": 2} | values
    row = Usage.objects.create(id=_id(at), **values)
    Usage.objects.filter(pk=row.pk).update(created_at=at)


def _id(at):
    return UUID(int=first_id_at(at).int | random.getrandbits(70))


def rows(model=UsageHour):
    return list(model.objects.order_by("at", "model_name").values_list("at", "model_name", "calls"))


def assert_sums_equal_the_rows():
    for model in (UsageHour, UsageDay):
        told = model.objects.aggregate(*[Sum(name) for name in ("calls", "prompt_tokens", "cost")])
        calls = Usage.objects.all()
        expected = calls.aggregate(Sum("prompt_tokens"), Sum("cost"))
        assert told["calls__sum"] == calls.count()
        assert told["prompt_tokens__sum"] == expected["prompt_tokens__sum"]
        assert told["cost__sum"] == (expected["cost__sum"] or 0)
        assert len(model.objects.values_list("at", *BY).distinct()) == model.objects.count()


def test_calls_are_added_up_by_hour_and_day_once():
    call()
    call(NOW + timedelta(minutes=20), outcome="upstream_failed", prompt_tokens=None)
    call(NOW + timedelta(hours=2), cost=Decimal("0.5"), currency="EUR", first_token_ms=7)
    assert roll_up() == 2
    hour = NOW.replace(minute=0)
    assert rows() == [(hour, "m", 2), (hour + timedelta(hours=2), "m", 1)]
    first = UsageHour.objects.earliest("at")
    assert (first.failed, first.uncosted, first.uncounted) == (1, 2, 1)
    assert (first.prompt_tokens, first.completion_tokens, first.cost) == (10, 4, 0)
    euros, others = UsageDay.objects.order_by("-currency")
    assert (euros.calls, euros.cost, euros.first_token_ms, euros.answered) == (1, 0.5, 7, 1)
    assert others.calls == 2
    assert roll_up() <= 2  # whatever is looked at again adds up to the same
    assert_sums_equal_the_rows()


def test_a_row_that_comes_late_is_found():
    call()
    roll_up()
    call(NOW - timedelta(days=40), model_name="late")
    assert roll_up() >= 1
    assert_sums_equal_the_rows()


def test_a_row_of_a_transaction_that_was_open_is_found_when_it_commits():
    """Its number is lower than that of rows which were added up before."""
    with connection.copy().cursor() as other:
        other.execute("begin")
        other.execute(
            "insert into gateway_usage (id, model_name, endpoint_name, outcome, created_at)"
            " values (%s, 'open', '', 'completed', %s)",
            [_id(NOW), NOW],
        )
        call()
        roll_up()
        assert not UsageHour.objects.filter(model_name="open").exists()
        other.execute("commit")
        other.connection.close()
    roll_up()
    assert UsageHour.objects.filter(model_name="open").exists()
    assert_sums_equal_the_rows()


def test_what_was_interrupted_goes_on(monkeypatch):
    for days in range(4):
        call(NOW + timedelta(days=days))
    add_up, days = rollups._add_up, []

    def add_one_day(day):
        if days:
            raise KeyboardInterrupt
        days.append(day)
        return add_up(day)

    monkeypatch.setattr(rollups, "_add_up", add_one_day)
    with pytest.raises(KeyboardInterrupt):
        roll_up()
    assert (UsageDay.objects.count(), UsageChange.objects.count()) == (1, 3)
    monkeypatch.undo()
    assert roll_up() == 3
    assert_sums_equal_the_rows()


def test_any_order_of_calls_and_looks_ends_the_same():
    chance = random.Random(6)
    for _ in range(60):
        call(
            NOW + timedelta(minutes=chance.randrange(3 * 24 * 60)),
            account_id=chance.choice(PEOPLE),
            team_ids=chance.choice(TEAMS),
            purpose=chance.choice(["chat", "title"]),
            cost=chance.choice([None, Decimal("0.000000000001"), Decimal(2)]),
        )
        if chance.random() < 0.2:
            roll_up()
    roll_up()
    assert_sums_equal_the_rows()


def test_rows_restored_on_another_server_are_found():
    UsageMark.objects.create(transaction=2**60)
    call()
    assert roll_up() == 1
    assert_sums_equal_the_rows()


def test_a_guess_that_goes_is_taken_back():
    turn, payer = uuid4(), Payer(uuid4())
    async_to_sync(record_lost_call)(turn, payer, "m", "E")
    roll_up()
    assert UsageHour.objects.get().uncounted == 1
    usage = TokenUsage(prompt_tokens=7)
    async_to_sync(record_call)(CallRecord(turn, payer, "m", "E", usage, "cancelled", 3, 9))
    roll_up()
    assert_sums_equal_the_rows()
    assert UsageHour.objects.get().uncounted == 0


def test_calls_are_in_the_partition_of_their_month_and_go_with_it(settings):
    now = datetime.now(UTC)
    old = now - timedelta(days=100)
    USAGE.make(old.year, old.month)
    far = now - timedelta(days=900)
    for at in (old, far, now):
        call(at)
    with connection.cursor() as cursor:
        cursor.execute("select tableoid::regclass::text from gateway_usage order by id")
        places = [place for (place,) in cursor.fetchall()]
    months = [f"gateway_usage_{at.year}_{at.month:02}" for at in (old, now)]
    assert places == ["gateway_usage_default", *months]
    settings.PARLEY_USAGE_MONTHS = 0
    keep()
    assert Usage.objects.count() == 3
    settings.PARLEY_USAGE_MONTHS = 1
    keep()
    assert Usage.objects.count() == 1
    assert months[0] not in USAGE.list_partitions()
    assert UsageDay.objects.aggregate(Sum("calls"))["calls__sum"] == 3  # the sums stay
    roll_up()
    assert UsageDay.objects.aggregate(Sum("calls"))["calls__sum"] == 3
