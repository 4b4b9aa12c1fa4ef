"""What rules find in a text: parts that lie over one another, too many of them, and addresses."""

import asyncio
import threading

import pytest
from pydantic import ValidationError

from agents.guardrails import guard as guards
from agents.guardrails import rules
from agents.guardrails.checks import MOST_SPANS, apart, check, spans_of
from agents.guardrails.guard import Guard
from agents.guardrails.rules import ADAPTER
from agents.guardrails.types import Place, Span, Unchecked
from agents.guardrails.vault import Vault
from tests.agents.guardrails.rules_of import rule


def test_parts_over_one_another_are_one_and_nothing_of_them_is_left():
    found = [Span(5, 9, "phone"), Span(0, 6, "email"), Span(8, 12, "masked", 4), Span(12, 13, "x")]
    assert apart(found) == [Span(0, 12, "phone"), Span(12, 13, "x")]
    assert apart([Span(3, 9, "a", 1), Span(4, 6, "b", 4)]) == [Span(3, 9, "a", 3)]


def test_very_many_are_put_in_order_in_their_number():
    found = [Span(n * 3, n * 3 + 2, "email") for n in range(200_000)]
    assert len(apart(reversed(found))) == len(found)  # hours, were each compared with all


def test_more_than_can_be_hidden_is_not_checked():
    one = rule("regex", pattern="x")
    assert len(check("x " * MOST_SPANS, one).spans) == MOST_SPANS
    with pytest.raises(Unchecked):
        check("x " * (MOST_SPANS + 1), one)


def test_two_rules_hide_all_that_either_finds():
    both = (rule("regex", ("input",), pattern="is bob"), rule(places=("input",)))
    guard = Guard(both, None, Vault("x"), ())
    looked = asyncio.run(guard.hidden("It is bob@example.org.", Place.INPUT))
    assert looked.text.startswith("It [MASKED_")
    assert looked.text.endswith("].")
    assert "example" not in looked.text
    assert guard.vault.open(looked.text) == "It is bob@example.org."


@pytest.mark.parametrize(("length", "is_loop"), [(100, True), (guards.AT_ONCE + 1, False)])
def test_a_long_text_is_looked_at_beside_the_event_loop(monkeypatch, length, is_loop):
    seen = []
    monkeypatch.setattr(guards, "check", lambda *_: seen.append(threading.current_thread()))
    guard = Guard((rule(places=("input",)),), None, Vault("x"), ())
    asyncio.run(guard.look("a" * length, Place.INPUT))
    assert [one is threading.main_thread() for one in seen] == [is_loop]


@pytest.mark.parametrize(
    ("text", "is_strange"),
    [
        ("https://example.org/x", False),
        ("https://docs.example.org:8000/@bob", False),
        ("bob@example.org", False),
        ("example.org/@bob", False),
        ("https://example.org@evil.com/", True),
        ("https://evil.com/x@example.org", True),
        ("evil.com/x@example.org", True),
        ("https://bob:pw@example.org/", True),
        ("https://example.org:80a", True),
        ("https://example.org:99999999/", True),
        ("https:\\\\evil.com\\@example.org", True),
        ("bob@evil.com", True),
    ],
)
def test_where_addresses_lead(text, is_strange):
    assert bool(spans_of(text, rule("domains", allowed=["example.org"]))) is is_strange


def test_patterns_are_tried_where_they_are_written_alone(monkeypatch):
    tried = []
    monkeypatch.setattr(rules, "require_quick", lambda pattern, _case: tried.append(pattern))
    one = rule("regex", pattern="never tried [0-7]")
    assert set(tried) == {one.pattern}
    tried.clear()
    assert rules.parse([rules.stored(one)]) == (one,)
    assert tried == []
    with pytest.raises(ValidationError):
        rules.parse([rules.stored(one) | {"pattern": "("}])


@pytest.mark.parametrize(("ignores_case", "is_quick"), [(False, True), (True, False)])
def test_a_pattern_is_tried_with_the_case_that_it_is_used_with(ignores_case, is_quick):
    said = {"name": "P", "kind": "regex", "places": ["input"], "action": "mask",
            "pattern": "^(?:[a-z]|[A-Z])+$", "ignores_case": ignores_case}  # fmt: skip
    if is_quick:
        assert ADAPTER.validate_python(said).pattern == "^(?:[a-z]|[A-Z])+$"
        return
    with pytest.raises(ValidationError) as refusal:
        ADAPTER.validate_python(said)
    assert refusal.value.errors()[0]["loc"][-1] == "pattern"
