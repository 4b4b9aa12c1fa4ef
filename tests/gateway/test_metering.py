"""A call is counted once, whoever counts it: the runner that made it, or those that missed it."""

from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from gateway.metering.recording import record_call, record_lost_call
from gateway.models import Usage
from gateway.types import CallRecord, Payer, TokenUsage

pytestmark = pytest.mark.django_db(transaction=True)
TURN, PAYER = uuid4(), Payer(uuid4())


def count_call(outcome="cancelled", turn=TURN):
    usage = TokenUsage(prompt_tokens=7)
    call = CallRecord(turn, PAYER, "scripted", "loopback", usage, outcome, 3, 9)
    async_to_sync(record_call)(call)


def guess_call(turn=TURN):
    async_to_sync(record_lost_call)(turn, PAYER, "scripted", "loopback")


def outcomes():
    return sorted(Usage.objects.values_list("turn_id", "outcome"))


def test_a_lost_call_is_counted_without_numbers():
    guess_call()
    assert outcomes() == [(TURN, "interrupted")]
    assert Usage.objects.get().prompt_tokens is None


def test_a_frozen_runner_that_counts_late_replaces_the_guess():
    guess_call()
    count_call()
    assert outcomes() == [(TURN, "cancelled")]


def test_a_counted_call_is_not_guessed_again():
    count_call()
    guess_call()
    assert outcomes() == [(TURN, "cancelled")]


def test_other_turns_keep_their_guesses():
    other = uuid4()
    guess_call(other)
    count_call()
    assert outcomes() == sorted([(TURN, "cancelled"), (other, "interrupted")])
