"""Arithmetic by rule: what models guess, computed. Rational numbers are exact.

The expression is parsed, never run: numbers, the operators, and the functions below are all there
is. Every number on the way is bounded, and so is the time that this can take.
"""

import ast
import math
import operator
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import StringConstraints

from agents.tools.builtin.numbers import (
    MOST_BITS,
    BadNumber,
    Number,
    bits,
    bounded,
    read_number,
    said,
    shown,
)
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused

LONGEST = 500
MOST_NODES = 250
MOST_WHOLE = 2_000  # of what factorials and their like are taken
SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**"})

Expression = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)
]


@tool(title=_("Calculate"), effect=Effect.NONE, icon="calculator", timeout=5)
async def calculate(calling: ToolCalling, expression: Expression) -> ToolOutput:  # noqa: ARG001
    """Compute an expression exactly: + - * / // % ^ ( ), pi, e, sqrt, ln, log(x, base), sin (in
    radians), round(x, places), min, max, sum, mean, median, stdev, factorial, comb, gcd, …"""
    number = compute(expression)
    text, is_exact = shown(number)
    data = {"kind": "calculation", "expression": expression, "result": text, "exact": is_exact}
    return ToolOutput(f"{expression} {said(number)}", data)


def compute(expression: str) -> Number:
    """Raises ToolRefused with what is wrong."""
    source = expression.translate(SIGNS)
    try:
        tree = ast.parse(source, mode="eval")
        if sum(1 for _node in ast.walk(tree)) > MOST_NODES:
            raise ToolRefused("The expression is too long. Compute it in parts.")
        return _Reckoner(source).visit(tree.body)
    except (SyntaxError, MemoryError, RecursionError):
        raise ToolRefused(f"“{expression}” is no arithmetic expression.") from None
    except ZeroDivisionError:
        raise ToolRefused("A division by zero.") from None
    except (OverflowError, statistics.StatisticsError, TypeError, ValueError) as error:
        raise ToolRefused(f"That cannot be computed: {error}") from None


class _Reckoner:
    """Works out a tree node by node; whatever it does not know is refused."""

    def __init__(self, source: str) -> None:
        self._source = source

    def visit(self, node: ast.expr) -> Number:
        match node:
            case ast.Constant():
                return read_number(ast.get_source_segment(self._source, node) or "")
            case ast.Name(id=name) if name in CONSTANTS:
                return CONSTANTS[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.visit(inner)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self.visit(inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return bounded(OPERATORS[type(op)](self.visit(left), self.visit(right)))
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
                return bounded(FUNCTIONS[name](*map(self.visit, given)))
            case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name):
                known = ", ".join([*CONSTANTS, *FUNCTIONS])
                raise ToolRefused(f"“{name[:40]}” is not known here. There are: {known}.")
        raise ToolRefused("Only numbers, + - * / // % ^, brackets and functions are computed.")


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        if max(bits(base)) * abs(exponent.numerator) > MOST_BITS:
            if base not in {0, 1, -1}:
                raise BadNumber("the power has too many digits.")
            exponent = Fraction(exponent.numerator % 2 or 2)
        return Fraction(base**exponent.numerator)
    if base < 0:
        raise BadNumber("a root of a negative number is not real.")
    return math.pow(base, exponent)


def _whole(number: Number) -> int:
    if not isinstance(number, Fraction) or number.denominator != 1:
        raise BadNumber("a whole number is needed.")
    return number.numerator


def _of_whole(function: Callable[..., int], most: int = MOST_WHOLE) -> Callable[..., Number]:
    def work(*numbers: Number) -> Number:
        found = [_whole(number) for number in numbers]
        if any(abs(number) > most for number in found):
            raise BadNumber(f"it is computed up to {most} only.")
        return Fraction(function(*found))

    return work


def _of_floats(function: Callable[..., float]) -> Callable[..., Number]:
    return lambda *numbers: function(*map(float, numbers))


def _root(number: Number) -> Number:
    """Exact of a square."""
    if number < 0:
        raise BadNumber("a root of a negative number is not real.")
    if isinstance(number, Fraction):
        top, bottom = math.isqrt(number.numerator), math.isqrt(number.denominator)
        if (top * top, bottom * bottom) == (number.numerator, number.denominator):
            return Fraction(top, bottom)
    return math.sqrt(number)


def _rounded(number: Number, places: Number = Fraction(0)) -> Number:
    """Halves away from zero, as people do it."""
    scale = Fraction(10) ** max(-400, min(400, _whole(places)))
    exact = Fraction(number) * scale
    away = math.floor(abs(exact) + Fraction(1, 2))
    return Fraction(away if exact >= 0 else -away) / scale


def _log(number: Number, base: Number) -> Number:
    return math.log(number) / math.log(base)


def _sum(*numbers: Number) -> Number:
    total: Number = Fraction(0)
    for number in numbers:
        total = bounded(total + number)
    return total


def _mean(*numbers: Number) -> Number:
    return _sum(*numbers) / len(numbers)


CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e}
OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda one, other: Fraction(one // other),
    ast.Mod: operator.mod, ast.Pow: _power,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _root, "cbrt": _of_floats(math.cbrt), "exp": _of_floats(math.exp),
    "ln": _of_floats(math.log), "log10": _of_floats(math.log10), "log2": _of_floats(math.log2),
    "log": _log, "sin": _of_floats(math.sin), "cos": _of_floats(math.cos),
    "tan": _of_floats(math.tan), "asin": _of_floats(math.asin), "acos": _of_floats(math.acos),
    "atan": _of_floats(math.atan), "hypot": _of_floats(math.hypot),
    "degrees": _of_floats(math.degrees), "radians": _of_floats(math.radians),
    "abs": abs, "round": _rounded, "floor": lambda n: Fraction(math.floor(n)),
    "ceil": lambda n: Fraction(math.ceil(n)), "min": min, "max": max,
    "sum": _sum, "mean": _mean,
    "median": lambda *numbers: statistics.median(numbers),
    "stdev": lambda *numbers: statistics.stdev(map(float, numbers)),
    "factorial": _of_whole(math.factorial, 1_200), "comb": _of_whole(math.comb),
    "perm": _of_whole(math.perm, 1_200), "gcd": _of_whole(math.gcd, 10**15),
    "lcm": _of_whole(math.lcm, 10**15),
}  # fmt: skip
