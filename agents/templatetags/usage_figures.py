"""How sums of money, shares and budgets are written."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.budgets.selectors import Quota
from accounts.budgets.wording import amount

register = template.Library()
SMALLEST = Decimal("0.0001")


@register.filter
def money(value: Decimal | float, currency: str) -> str:
    """`12.40 USD`; small sums with up to four places, and none as nothing that is something."""
    exact = Decimal(str(value))
    if 0 < exact < SMALLEST:
        return f"< {number_format(SMALLEST, 4)} {currency}"
    exact = round(exact, 4 if abs(exact) < 1 else 2)
    places = max(2, -int(exact.normalize().as_tuple().exponent)) if exact else 0
    return f"{number_format(exact, places, force_grouping=True)} {currency}"


@register.filter
def percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)


@register.filter
def signed_percent(share: float) -> str:
    return f"{100 * share:+.1f} %" if round(1000 * share) else "0 %"


@register.filter
def unlocalized(number: float) -> str:
    """For attributes: with a point in every language."""
    return f"{min(number, 1):.4f}"


@register.filter
def left(quota: Quota) -> str:
    """`2,000 tokens left`."""
    return _("%(amount)s left") % {"amount": _amount(quota, quota.left)}


@register.filter
def used_of(quota: Quota) -> str:
    return _amount(quota, quota.used)


@register.filter
def limit_of(quota: Quota) -> str:
    return _amount(quota, quota.budget.limit)


def _amount(quota: Quota, value: Decimal) -> str:
    return str(amount(quota.budget.unit, value, quota.budget.currency))
