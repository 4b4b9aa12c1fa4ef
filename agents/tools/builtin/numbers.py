"""Numbers as people write them: exact as fractions, shown as decimals, marked where rounded."""

import math
import re
from decimal import Decimal, localcontext
from fractions import Fraction

Number = Fraction | float  # a float where nothing exact is known

SHOWN_DIGITS = 15  # of what is rounded
LONGEST = 400  # digits of an exact number that are shown
MOST_BITS = 13_000  # of any number on the way: below what Python turns into text
MOST_EXPONENT = 1_000
_LITERAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE]([+-]?\d{1,6}))?")


class BadNumber(ValueError):
    """No number, or one beyond all bounds; the text says which."""


def read_number(text: str) -> Fraction:
    """A decimal number as it is written, exactly; raises BadNumber."""
    plain = text.replace("_", "").strip()
    found = _LITERAL.fullmatch(plain)
    if found is None or not plain.isascii():
        raise BadNumber(f"{text[:40]} is no decimal number.")
    if abs(int(found[4] or 0)) > MOST_EXPONENT or len(plain) > LONGEST:
        raise BadNumber("A number is too large.")
    return Fraction(plain)


def bounded(number: Number) -> Number:
    """The number, if it is one of a size that can be worked with; raises BadNumber."""
    if isinstance(number, float):
        if not math.isfinite(number):
            raise BadNumber("The result is too large, or no number.")
    elif max(bits(number)) > MOST_BITS:
        raise BadNumber("A number on the way has too many digits.")
    return number


def bits(number: Fraction) -> tuple[int, int]:
    return number.numerator.bit_length(), number.denominator.bit_length()


def shown(number: Number) -> tuple[str, bool]:
    """As a decimal, and whether that is exact."""
    if isinstance(number, float):
        return _tidy(Decimal(repr(number))), False
    if exact := _exact(number):
        return exact, True
    with localcontext() as context:
        context.prec = SHOWN_DIGITS
        context.Emax, context.Emin = 10**6, -(10**6)
        return _tidy(Decimal(number.numerator) / Decimal(number.denominator)), False


def said(number: Number) -> str:
    """Behind `=`, or `≈` where it is rounded; with the fraction where that is short."""
    text, is_exact = shown(number)
    if is_exact:
        return f"= {text}"
    short = isinstance(number, Fraction) and max(bits(number)) < 64
    return f"≈ {text} ({number})" if short else f"≈ {text}"


def _exact(number: Fraction) -> str:
    """Empty where the decimal does not end, or ends too late."""
    rest, twos, fives = number.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > LONGEST:
        return ""
    digits = str(abs(number.numerator) * 10**places // number.denominator)
    if len(digits) > LONGEST:
        return ""
    digits = digits.zfill(places + 1)
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _tidy(number: Decimal) -> str:
    """Without an exponent where it is of everyday size."""
    with localcontext() as context:
        context.prec = SHOWN_DIGITS
        context.Emax, context.Emin = 10**6, -(10**6)
        rounded = +number
    if rounded == 0 or -7 <= rounded.adjusted() < 21:
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{rounded.normalize():e}"
