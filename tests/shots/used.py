"""Five weeks of use for the screenshots: what it cost, whom budgets hold, what reuse spared."""

import random
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.budgets.models import EVERYBODY, Budget
from accounts.budgets.opening import open_balance
from accounts.models import Team, User
from agents.models import Agent
from agents.reuse.models import Measurement, Saving
from tests.support.used import used

MODELS = (
    ("house-model", "EUR", 3),
    ("reasoner", "EUR", 11),
    ("qwen-max", "CNY", 9),
    ("mid", "", 0),
)
BUDGETS = (  # name, scope, unit, limit, currency, used
    ("Everything, all of us", "installation", "money", 900, "EUR", 612),
    ("Tokens of a month", "user", "tokens", 2_000_000, "", 1_890_000),
    ("Questions of a month", "user", "requests", 500, "", 489),
    ("People team", "team", "money", 120, "EUR", 37),
)


def make(me: User, people: list[User], team: Team) -> None:
    agents = list(Agent.objects.order_by("slug"))
    _five_weeks([me, *people], team, agents)
    for name, scope, unit, limit, currency, settled in BUDGETS:
        budget = Budget.objects.create(
            name=name,
            scope=scope,
            unit=unit,
            limit=limit,
            currency=currency,
            is_hard=unit == "tokens",  # questions are still to be asked
        )
        subject = {"user": me.pk, "team": team.pk}.get(scope, EVERYBODY)
        open_balance(budget.pk, subject)
        budget.balances.update(settled=settled)
    Saving.objects.create(
        day=timezone.now().date(), agent_id=agents[0].pk, is_similar=False, currency="EUR",
        answers=41, tokens=180_000, cost=Decimal("1.23"), unpriced=0,
    )  # fmt: skip
    for similarity, hits, wrong in ((90, 118, 17), (95, 84, 0)):
        Measurement.objects.create(
            embedder="multilingual-e5-small", similarity=similarity, questions="questions.csv",
            pairs=400, different=240, hits=hits, false_hits=wrong, limit=0.005, measured_by=me,
        )  # fmt: skip


def _five_weeks(people: list[User], team: Team, agents: list[Agent]) -> None:
    chance = random.Random(7)
    now = timezone.now()
    for back in range(35):
        at = now - timedelta(days=back)
        for model, currency, price in MODELS:
            for person in people if at.weekday() < 5 else people[:1]:
                calls = chance.randrange(1, 9)
                used(
                    at, account_id=person.pk, team_ids=[team.pk], model_name=model,
                    agent_id=chance.choice([*[agent.pk for agent in agents], None]),
                    calls=calls, failed=int(back in (2, 9)), currency=currency,
                    cost=Decimal(price * calls) / 100, uncosted=0 if price else calls,
                    prompt_tokens=4000 * calls, cached_tokens=1500 * calls if price else 0,
                    completion_tokens=600 * calls, purpose=chance.choice(["chat", "title"]),
                    estimated_tokens=3900 * calls, compared_tokens=4000 * calls,
                )  # fmt: skip


def rows() -> dict[str, str]:
    """The ids that addresses need."""
    return {
        "team": str(Team.objects.get(name="People team").pk),
        "budget": str(Budget.objects.get(unit="tokens").pk),
        "money": str(Budget.objects.get(scope="team").pk),
    }
