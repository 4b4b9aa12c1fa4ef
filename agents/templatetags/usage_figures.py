"""How sums of money are written."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format

register = template.Library()
SMALLEST = Decimal("0.0001")


@register.filter
def money(amount: Decimal | float, currency: str) -> str:
    """`12.40 USD`; small sums with four places, and never as nothing if they are something."""
    exact = Decimal(str(amount))
    if 0 < exact < SMALLEST:
        return f"< {number_format(SMALLEST, 4)} {currency}"
    places = 4 if 0 < exact < 1 else 2
    return f"{number_format(exact, places, force_grouping=True)} {currency}"


@register.filter
def percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)
