"""How a refusal reaches whoever asked: the API, the protocol of /v1, a turn, in their language."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from django.utils import translation

from accounts.budgets.models import Budget
from accounts.budgets.wording import Shortfall, amount
from agents.openai.errors import of_gateway
from chat.turns.progress import describe as told_in_chat
from config.problems import describe
from gateway.errors import BudgetExhausted
from security.sentences import said, stored

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 12, 1, tzinfo=UTC)


def refusal(resets_at=AT, needed=Decimal(5300)) -> BudgetExhausted:
    budget = Budget(name="Research", unit="tokens", limit=1000)
    short = Shortfall(budget, "Editors", Decimal("120.9"), needed, resets_at, UTC)
    return BudgetExhausted(
        short.sentence(), name="Research", owner="Editors", unit="tokens", left=Decimal(120),
        needed=needed, resets_at=resets_at,
    )  # fmt: skip


def test_it_is_said_in_the_language_of_whoever_reads():
    error = refusal()
    assert str(error) == (
        "A budget does not allow this. “Research” of Editors has 120 tokens left, and this may "
        "take 5,300 tokens. It resets on 2026-12-01 00:00 (UTC+00:00)."
    )
    kept = stored(error.said)
    with translation.override("zh-hans"):
        assert "Editors的“Research”还剩 120 个词元" in said(kept)
    with translation.override("zh-hant"):
        assert "Editors的「Research」還剩 120 個詞元" in said(kept)


def test_a_turn_fails_with_it():
    told = told_in_chat(refusal())
    assert told["type"] == "budget_exhausted"
    assert "Research" in str(said(stored(told["detail"])))


def test_the_api_answers_429_and_when_to_come_back():
    problem = describe(refusal(datetime.now(UTC) + timedelta(seconds=90)))
    assert (problem.status, problem.name) == (429, "budget-exhausted")
    assert 80 <= int(problem.headers["Retry-After"]) <= 90
    assert "Research" in problem.detail
    assert "Retry-After" not in describe(refusal(None, None)).headers, "waiting does not help"


def test_v1_answers_as_openai_does_when_a_quota_is_used_up():
    with translation.override("zh-hans"):
        response = of_gateway(refusal(datetime.now(UTC) + timedelta(seconds=90))).to_response()
    error = orjson.loads(response.content)["error"]
    assert response.status_code == 429
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
    assert "Research" in error["message"]
    assert response["x-should-retry"] == "false"
    assert response["Retry-After"]


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        ("tokens", "1234567.8", "1,234,567 tokens"),
        ("tokens", "1", "1 token"),
        ("requests", "0", "0 requests"),
        ("money", "12.345", "12.34 EUR"),
        ("money", "0.00129", "0.0012 EUR"),
        ("storage", "1250000", "1.2 MB"),
    ],
)
def test_amounts_are_written_for_people(unit, value, shown):
    assert amount(unit, Decimal(value), "EUR") == shown


def test_nobody_outside_the_gateway_makes_a_payer_without_a_budget():
    """A call that forgets its budget is free: whoever makes a payer hands it one."""
    forgotten = []
    for folder in ("accounts", "agents", "chat", "knowledge"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "budgets" in path.parts:
                continue
            calls = re.findall(r"\bPayer\(((?:[^()]|\([^()]*\))*)\)", path.read_text())
            forgotten += [f"{path.name}: {call}" for call in calls if "BUDGETS" not in call]
    assert not forgotten
