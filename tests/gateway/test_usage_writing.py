"""Usage rows of calls that end together: one group, each once, none lost for another's fault."""

import asyncio

import pytest

from gateway.metering import writing
from gateway.metering.recording import usage_of
from gateway.models import Usage
from gateway.types import CallRecord, Payer, TokenUsage
from security.ids import new_id


def row(outcome="completed", model="m", turn=None):
    usage = TokenUsage(prompt_tokens=1)
    return usage_of(CallRecord(turn or new_id(), Payer(), model, "e", usage, outcome, 5, 10))


async def write_together(rows):
    writer = writing.Writer()
    return await asyncio.gather(*(writer.write([one]) for one in rows), return_exceptions=True)


@pytest.fixture
def groups(monkeypatch):
    """The sizes of the groups that went to Postgres."""
    sizes = []
    insert = writing._insert

    async def counted(rows):
        sizes.append(len(rows))
        await insert(rows)

    monkeypatch.setattr(writing, "_insert", counted)
    return sizes


@pytest.mark.django_db(transaction=True)
def test_rows_that_come_together_are_one_statement(groups):
    assert asyncio.run(write_together([row() for _ in range(50)])) == [None] * 50
    assert Usage.objects.count() == 50
    assert groups == [50]


@pytest.mark.django_db(transaction=True)
def test_writing_twice_changes_nothing(groups):
    rows = [row(), row()]
    asyncio.run(write_together([*rows, *rows]))
    assert Usage.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_row_that_cannot_be_stored_takes_no_other_along(groups):
    bad = row(model="m" * 500)
    found = asyncio.run(write_together([row(), bad, row()]))
    assert [type(one).__name__ for one in found] == ["NoneType", "DataError", "NoneType"]
    assert Usage.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_guess_goes_when_the_call_is_counted_in_the_same_group(groups):
    turn = new_id()
    asyncio.run(write_together([row(writing.LOST, turn=turn), row(turn=turn)]))
    assert [usage.outcome for usage in Usage.objects.all()] == ["completed"]


@pytest.mark.django_db(transaction=True)
def test_a_nul_in_an_error_loses_no_row(groups):
    one = row()
    one.detail = "a\0b"
    asyncio.run(write_together([one]))
    assert Usage.objects.get().detail == "ab"
