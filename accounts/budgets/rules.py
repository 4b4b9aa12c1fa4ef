"""Which budgets a call counts for, and how much in each. Pure, but for `load` and `Rules`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Max

from accounts.budgets.models import EVERYBODY, Budget
from gateway.budget import Demand
from gateway.types import Payer, TokenUsage
from observability.remembered import Remembered

NOTHING = Decimal(0)
Scope, Unit = Budget.Scope, Budget.Unit


@dataclass(frozen=True, slots=True)
class Rule:
    """A budget as far as it decides whether it applies. `subject_id` None: each of its scope."""

    id: UUID
    scope: str
    subject_id: UUID | None
    unit: str
    currency: str
    period: str
    is_hard: bool
    allows_unpriced: bool
    falls_back: bool

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """Of these one counts for a subject: the one that names it, before the one for each."""
        return self.scope, self.unit, self.currency, self.period


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call may take of one budget of one subject; None: nobody knows, for want of a price.

    `owed` is the part that counts as soon as the call is made.
    """

    rule: Rule
    subject_id: UUID
    amount: Decimal | None
    owed: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call took, by unit; None where nobody said: then it counts as was set aside."""

    tokens: Decimal | None
    money: Decimal | None
    currency: str
    requests: Decimal


def claims_of(rules: Iterable[Rule], demand: Demand) -> list[Claim]:
    """Every budget that the call counts for; storage is no affair of calls."""
    return [
        Claim(rule, subject, *_amounts(rule, demand))
        for rule, subject in applicable(rules, demand.payer)
        if rule.unit != Unit.STORAGE
    ]


def applicable(rules: Iterable[Rule], payer: Payer) -> list[tuple[Rule, UUID]]:
    """Budgets with the subjects that they count for, those that name somebody first."""
    found: dict[tuple[object, UUID], tuple[Rule, UUID]] = {}
    for rule in sorted(rules, key=lambda rule: rule.subject_id is None):
        for subject in _subjects(rule.scope, payer):
            if rule.subject_id in (None, subject) or rule.scope == Scope.INSTALLATION:
                found.setdefault((rule.kind, subject), (rule, subject))
    return list(found.values())


def _subjects(scope: str, payer: Payer) -> Sequence[UUID]:
    one = {
        Scope.INSTALLATION: EVERYBODY,
        Scope.USER: payer.account_id,
        Scope.AGENT: payer.agent_id,
        Scope.TOKEN: payer.token_id,
    }
    if scope == Scope.TEAM:
        return payer.team_ids
    subject = one[Scope(scope)]
    return () if subject is None else (subject,)


def _amounts(rule: Rule, demand: Demand) -> tuple[Decimal | None, Decimal]:
    if rule.unit == Unit.REQUESTS:
        return Decimal(1), Decimal(1)
    if rule.unit == Unit.TOKENS:
        prompt = Decimal(demand.prompt_tokens)
        return prompt + demand.completion_tokens, prompt
    if demand.cost == 0:
        return NOTHING, NOTHING  # in every currency
    if demand.cost is None or demand.currency != rule.currency:
        return (NOTHING if rule.allows_unpriced or not rule.is_hard else None), NOTHING
    return demand.cost, min(demand.prompt_cost or NOTHING, demand.cost)


def charge_of(demand: Demand, usage: TokenUsage, cost: Decimal | None) -> Charge:
    """What was counted. Where the server counted one of two, the other is what was estimated."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if prompt is None and completion is None:
        tokens = None
    else:
        of_prompt = demand.prompt_tokens if prompt is None else prompt
        tokens = Decimal(of_prompt + (completion or 0))
    return Charge(tokens, cost, demand.currency, Decimal(1))


def load() -> tuple[Rule, ...]:
    fields = ("id", "scope", "unit", "currency", "period", "is_hard", "allows_unpriced")
    named = ("user_id", "team_id", "agent_id", "token_id")
    rows = (
        Budget.objects.filter(is_enabled=True).order_by("id").values(*fields, *named, "falls_back")
    )
    return tuple(
        Rule(
            **{name: row[name] for name in fields},
            falls_back=row["falls_back"],
            subject_id=next((row[name] for name in named if row[name]), None),
        )
        for row in rows
    )


class Rules:
    """The budgets as they were at most two seconds ago; read again only when one has changed."""

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._stamp: object = None
        self._remembered = Remembered(self._read)

    async def current(self) -> tuple[Rule, ...]:
        return await self._remembered.get()

    @property
    def known(self) -> tuple[Rule, ...]:
        return self._rules

    def refresh(self) -> tuple[Rule, ...]:
        """As they are now; for threads."""
        return self._remembered.read_now()

    def forget(self) -> None:
        self._stamp = None
        self._remembered.forget()

    def _read(self) -> tuple[Rule, ...]:
        stamp = Budget.objects.aggregate(count=Count("*"), last=Max("updated_at"))
        if stamp != self._stamp or not stamp["count"]:
            self._rules = load() if stamp["count"] else ()
            self._stamp = stamp
        return self._rules


remembered = Rules()
