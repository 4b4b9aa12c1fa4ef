"""What a refusal says: which budget, whose, what is left, what was needed, when it resets."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from accounts.budgets.models import Budget
from security.sentences import Sentence, declare

declare(
    {
        "budget_left": _(
            "“{name}” of {owner} has {left} left, and this may take {needed}. "
            "It resets on {resets}."
        ),
        "budget_held": _(
            "“{name}” of {owner} has {left} left while other calls are under way, and this may "
            "take {needed}. Try again when they are done."
        ),
        "budget_left_for_good": _(
            "“{name}” of {owner} has {left} left, and this takes {needed}. Delete what is not "
            "needed any more, or ask an administrator."
        ),
        "budget_unpriced": _(
            "“{name}” of {owner} is counted in {currency}, and the price of {model} in it is not "
            "known. An administrator can enter it, or let calls without a price pass."
        ),
        "budget_tokens": _("{n} tokens"),
        "budget_token": _("1 token"),
        "budget_requests": _("{n} requests"),
        "budget_request": _("1 request"),
        "budget_money": _("{n} {currency}"),
        "budget_bytes": _("{n} MB"),
        "budget_moment": _("{date} (UTC{offset})"),
    }
)
MEGABYTE = 1_000_000


def amount(
    unit: str, value: Decimal, currency: str = "", *, rounding: str = ROUND_DOWN
) -> Sentence:
    """A number of the unit; what is left is rounded down, what is needed up."""
    places = {Budget.Unit.MONEY: 2, Budget.Unit.STORAGE: 1}.get(Budget.Unit(unit), 0)
    if unit == Budget.Unit.STORAGE:
        value = value / MEGABYTE
    if unit == Budget.Unit.MONEY and 0 < abs(value) < 1:
        places = 4
    shown = value.quantize(Decimal(1).scaleb(-places), rounding=rounding)
    text = formats.number_format(shown, places, force_grouping=True)
    if unit == Budget.Unit.MONEY:
        return Sentence("budget_money", n=text, currency=currency)
    if unit == Budget.Unit.STORAGE:
        return Sentence("budget_bytes", n=text)
    return Sentence(f"budget_{unit}" if shown != 1 else f"budget_{unit[:-1]}", n=text)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A budget that does not have what is needed; `needed` None: the price of `model` is not
    known. `is_held`: it would be enough without the calls under way."""

    budget: Budget
    owner: str
    left: Decimal
    needed: Decimal | None
    resets_at: datetime | None
    zone: tzinfo
    model: str = ""
    is_held: bool = False

    def sentence(self) -> Sentence:
        budget = self.budget
        values: dict[str, str] = {"name": budget.name, "owner": self.owner}
        if self.needed is None:
            return Sentence("budget_unpriced", **values, currency=budget.currency, model=self.model)
        values["left"] = amount(budget.unit, max(self.left, Decimal(0)), budget.currency)
        values["needed"] = amount(budget.unit, self.needed, budget.currency, rounding=ROUND_UP)
        if self.is_held:
            return Sentence("budget_held", **values)
        if self.resets_at is None:
            return Sentence("budget_left_for_good", **values)
        return Sentence("budget_left", **values, resets=moment(self.resets_at, self.zone))


def moment(at: datetime, zone: tzinfo) -> Sentence:
    """Written so that it is read the same in every language: it may be kept."""
    local = timezone.localtime(at, zone)
    offset = local.strftime("%z")
    date = local.strftime("%Y-%m-%d %H:%M")
    return Sentence("budget_moment", date=date, offset=f"{offset[:3]}:{offset[3:]}")
