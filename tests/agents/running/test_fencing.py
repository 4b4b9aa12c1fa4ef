"""Rows of a run are written by whoever holds it: who slept longer than their lease writes none."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from agents.models import RunNote, RunStep, ToolExecution
from agents.running.ledger import Rows
from agents.tools.results import Result
from agents.tools.types import Effect
from agents.types import AgentSpec, AgentTask
from agents.types.openings import Opening
from events import leases
from events.types import LeaseLost
from gateway.types import Completed, TokenUsage, ToolCall

pytestmark = pytest.mark.django_db(transaction=True)
CALL = ToolCall("call_1", "pay", "{}")
TOOL = SimpleNamespace(name="pay", server="", effect=Effect.SENDS)
DONE = Completed("tool_calls", TokenUsage(), "m", "one", 1, 2)


@pytest.fixture
def run_id():
    found = uuid4()
    leases.open_stream(found, "turn")
    return found


def held_by(person, run_id, name) -> Rows:
    """The ledger of somebody who takes the run from whoever has it: that lease has run out."""
    with connection.cursor() as cursor:
        cursor.execute("update events_stream set lease_until = now() - interval '1 s'")
    claim = leases.claim_one(run_id, name)
    task = AgentTask(AgentSpec(), person, "Pay.", turn_id=run_id, fence=claim.fence)
    return Rows(task, run_id, Opening())


def test_of_two_that_make_one_call_only_its_holder_begins_it(alice, run_id):
    first = held_by(alice, run_id, "first")
    second = held_by(alice, run_id, "second")
    async_to_sync(second.spoke)(1, "I pay.", [CALL], DONE)
    async_to_sync(second.begins)(CALL, TOOL, 1, None)
    RunNote.objects.create(run_id=run_id, owner=alice, text="Not twice.")
    for late in (
        lambda: async_to_sync(first.begins)(CALL, TOOL, 7, uuid4()),
        lambda: async_to_sync(first.spoke)(2, "Mine.", [], DONE),
        lambda: async_to_sync(first.waits)(CALL),
        lambda: async_to_sync(first.ended)(CALL, TOOL, Result("done", text="paid"), 5),
    ):
        with pytest.raises(LeaseLost):
            late()
    assert async_to_sync(first.hears)(1) == []
    (made,) = ToolExecution.objects.all()
    assert (made.attempts, made.status, made.approval_id) == (1, "running", None)
    assert [step.text for step in RunStep.objects.all()] == ["I pay."]
    assert [note.text for note in async_to_sync(second.hears)(1)] == ["Not twice."]


def test_what_waits_was_not_begun_unless_it_had_been_before(alice, run_id):
    ledger = held_by(alice, run_id, "first")
    for attempt, left in ((1, 0), (2, 1)):
        async_to_sync(ledger.begins)(CALL, TOOL, attempt, None)
        async_to_sync(ledger.waits)(CALL)
        assert ToolExecution.objects.count() == left


def test_nothing_is_written_of_a_run_that_is_over(alice, run_id):
    ledger = held_by(alice, run_id, "first")
    leases.delete([run_id])
    with pytest.raises(LeaseLost):
        async_to_sync(ledger.begins)(CALL, TOOL, 1, None)
    assert not ToolExecution.objects.exists()


def test_a_run_without_a_turn_has_one_holder(alice):
    ledger = Rows(AgentTask(AgentSpec(), alice, "Pay."), uuid4(), Opening())
    async_to_sync(ledger.begins)(CALL, TOOL, 1, None)
    async_to_sync(ledger.ended)(CALL, TOOL, Result("done", text="paid"), 5)
    assert ToolExecution.objects.get().status == "done"
