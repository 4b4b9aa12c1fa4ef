"""What is read of a run by whoever takes it up is what was written of it."""

from dataclasses import replace
from uuid import uuid4

import pytest

from agents.running.keeping import (
    Whose,
    forget_documents,
    has_kept,
    load_past,
    store_end,
    store_step,
)
from agents.tools.models import ToolExecution
from agents.tools.results import Result
from agents.tools.types import Taint, ToolOutput
from gateway.types import Completed, TokenUsage, ToolCall

pytestmark = pytest.mark.django_db
CALL = ToolCall("call_1", "look_up", "{}")
NAMED = {"tool": "look_up", "server": "", "effect": "reads"}
DONE = Completed("tool_calls", TokenUsage(), "m", "one", 1, 2)


@pytest.fixture
def whose(alice) -> Whose:
    return Whose(uuid4(), alice.pk, None)


def test_what_a_step_cost_is_known_to_whoever_takes_the_run_up(whose) -> None:
    store_step(whose, 1, "", [CALL], replace(DONE, costs={"USD": 0.25, "EUR": None}))
    (step,) = load_past(whose.run_id).steps
    assert step.done.costs == {"USD": 0.25, "EUR": None}


@pytest.mark.parametrize("status", ["done", "refused", "failed"])
def test_words_of_others_stay_private_and_quoted_however_the_call_ended(whose, status) -> None:
    output = ToolOutput(
        "Your dog is called Rex.", taints=frozenset(Taint), readers=frozenset({uuid4()})
    )
    store_step(whose, 1, "", [CALL], DONE)
    store_end(whose, CALL, NAMED, Result(status, output, "no"), 5)
    found = load_past(whose.run_id).calls["call_1"].result
    assert found is not None
    assert (found.status, found.output) == (status, output)


def test_a_reason_of_ours_is_no_result(whose) -> None:
    store_step(whose, 1, "", [CALL], DONE)
    store_end(whose, CALL, NAMED, Result("denied", text="Not allowed."), 5)
    assert load_past(whose.run_id).calls["call_1"].result == Result("denied", text="Not allowed.")


@pytest.mark.parametrize("data", [{"n": 2**70}, {"text": "\\u0000 and \0"}])
def test_what_json_or_postgres_cannot_hold_fails_no_run(whose, data) -> None:
    store_step(whose, 1, "", [CALL], DONE)
    store_end(whose, CALL, NAMED, Result("done", ToolOutput("made", data)), 5)
    kept = ToolExecution.objects.get(run_id=whose.run_id)
    assert kept.output == "made"
    assert kept.data in ({}, {"text": "\\u0000 and "})


def test_a_result_that_quotes_a_document_goes_with_it(whose) -> None:
    quoted = uuid4()
    output = ToolOutput("a row of it", documents=frozenset({quoted}))
    store_end(whose, CALL, NAMED, Result("done", output), 5)
    forget_documents([quoted])
    assert ToolExecution.objects.get(run_id=whose.run_id).output == ""


@pytest.mark.parametrize("said", ["", "42. ", "Let me see."])
def test_what_was_said_before_any_step_is_kept_nowhere(whose, said) -> None:
    """Thoughts alone, or a number: whoever takes the run up could not say it again."""
    assert not has_kept([whose.run_id], said)
    assert not has_kept([whose.run_id], said, "It leaves at noon.")


def test_words_are_kept_with_steps_or_are_those_that_it_goes_on_from(whose) -> None:
    before = "It leaves [2] at noon."
    assert has_kept([whose.run_id], "It leaves [1] at noon. ", before)
    assert not has_kept([whose.run_id], "It leaves [1] at noon. Let me see.", before)
    store_step(whose, 1, "Let me see.", [CALL], DONE)
    assert has_kept([whose.run_id], "It leaves [1] at noon. Let me see.", before)
    assert has_kept([whose.run_id], "Let me")
    assert has_kept([whose.run_id], "")  # it thought, and called
    assert not has_kept([whose.run_id], "Nothing of that.")
