"""Units of measure: exact factors, products and powers of them, and temperatures."""

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import StringConstraints

from agents.tools.builtin.numbers import BadNumber, Number, bounded, read_number, said
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused

Dimensions = tuple[tuple[str, int], ...]
Unit = tuple[Fraction, Dimensions]

# symbol and names = factor and base units; `*` before the symbol: it takes prefixes.
TABLE = """
*m metre meter = 1 m; in inch inches = 0.0254 m; ft foot feet = 0.3048 m; yd yard = 0.9144 m
mi mile = 1609.344 m; nmi = 1852 m; au = 149597870700 m; ly lightyear = 9460730472580800 m
*g gram gramme = 0.001 kg; *t tonne ton_metric = 1000 kg; lb lbs pound = 0.45359237 kg
oz ounce = 0.028349523125 kg; st stone = 6.35029318 kg; ct carat = 0.0002 kg; 斤 = 0.5 kg
short_ton = 907.18474 kg; long_ton = 1016.0469088 kg
*s sec second = 1 s; min minute = 60 s; h hr hour = 3600 s; d day = 86400 s; week = 604800 s
month = 2629746 s; yr year = 31556952 s
*l L litre liter = 0.001 m3; gal gallon = 0.003785411784 m3; qt quart = 0.000946352946 m3
pt pint = 0.000473176473 m3; cup = 0.0002365882365 m3; floz = 0.0000295735295625 m3
tbsp = 0.00001478676478125 m3; tsp = 0.00000492892159375 m3; imperial_gallon = 0.00454609 m3
imperial_pint = 0.00056826125 m3; barrel bbl = 0.158987294928 m3
ha hectare = 10000 m2; acre = 4046.8564224 m2; 亩 畝 = 2000/3 m2; 里 = 500 m
mph = 0.44704 m s-1; kph kmh = 5/18 m s-1; kn knot = 463/900 m s-1
*N newton = 1 kg m s-2; lbf = 4.4482216152605 kg m s-2
*Pa pascal = 1 kg m-1 s-2; *bar = 100000 kg m-1 s-2; atm = 101325 kg m-1 s-2
psi = 6894.757293168361 kg m-1 s-2; mmHg = 133.322387415 kg m-1 s-2
*J joule = 1 kg m2 s-2; *cal calorie = 4.184 kg m2 s-2; *Wh = 3600 kg m2 s-2
*eV = 1.602176634e-19 kg m2 s-2; BTU = 1055.05585262 kg m2 s-2
*W watt = 1 kg m2 s-3; hp horsepower = 745.6998715822702 kg m2 s-3
*A ampere amp = 1 A; *V volt = 1 kg m2 s-3 A-1; *ohm Ω = 1 kg m2 s-3 A-2; *C coulomb = 1 A s
*Hz hertz = 1 s-1; rpm = 1/60 s-1; *mol = 1 mol
*bit = 1 bit; *B byte = 8 bit
rad radian = 1 rad; deg degree ° = 0.017453292519943295769 rad; turn = 6.283185307179586477 rad
"""
PREFIXES = {
    "da": 1, "h": 2, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
    "d": -1, "c": -2, "m": -3, "µ": -6, "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
WORDS = {
    "kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15,
    "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12,
}  # fmt: skip
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50}
# Degrees of temperature: how many kelvin one is, and what is added before.
TEMPERATURES = {
    "k": (Fraction(1), Fraction(0)), "kelvin": (Fraction(1), Fraction(0)),
    "c": (Fraction(1), Fraction("273.15")), "celsius": (Fraction(1), Fraction("273.15")),
    "f": (Fraction(5, 9), Fraction("459.67")), "fahrenheit": (Fraction(5, 9), Fraction("459.67")),
}  # fmt: skip
SQUARED = {"²": "2", "³": "3", "⁻": "-", "¹": "1"}
_FACTOR = re.compile(r"(?P<name>[^\d\s^*/·-]+)\^?(?P<power>-?[1-9])?")
_SQUARE = re.compile(r"\b(?:square|sq) (\w+)")
_CUBIC = re.compile(r"\b(?:cubic|cu) (\w+)")

UnitText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


@tool(title=_("Convert units"), effect=Effect.NONE, icon="scale", timeout=5)
async def convert_units(
    calling: ToolCalling,  # noqa: ARG001
    amount: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)],
    unit: UnitText,
    to: UnitText,
) -> ToolOutput:
    """Convert an amount exactly, e.g. 5 km/h to mph, 20 °C to °F, 3 GiB to MB, 1 kWh to MJ."""
    try:
        number = bounded(_converted(read_number(amount), unit, to))
    except BadNumber as error:
        raise ToolRefused(str(error)) from None
    text = f"{amount} {unit} {said(number)} {to}"
    return ToolOutput(text, {"kind": "conversion", "text": text})


def _converted(amount: Fraction, unit: str, to: str) -> Number:
    degrees = [_temperature(unit), _temperature(to)]
    if all(degrees):
        (factor, plus), (other, minus) = degrees  # type: ignore[misc]
        return (amount + plus) * factor / other - minus
    one, other_unit = _read(unit), _read(to)
    if one[1] != other_unit[1]:
        raise ToolRefused(f"{unit} ({_told(one)}) and {to} ({_told(other_unit)}) do not measure "
                          "the same.")  # fmt: skip
    number = amount * one[0] / other_unit[0]
    # What angles are measured by is no fraction.
    return float(number) if ("rad", 1) in one[1] else number


def _temperature(text: str) -> tuple[Fraction, Fraction] | None:
    """`C` alone may be a coulomb too: asked together with another temperature it is none."""
    return TEMPERATURES.get(
        text.lower().replace("degrees ", "").lstrip("°º").removeprefix("deg").strip()
    )


def _read(text: str) -> Unit:
    """A product of units with whole powers; what stands behind a `/` divides."""
    factor, dimensions = Fraction(1), Counter[str]()
    plain = "".join(SQUARED.get(sign, sign) for sign in text.replace(" per ", "/"))
    plain = _CUBIC.sub(r"\1^3", _SQUARE.sub(r"\1^2", plain.replace("fl oz", "floz")))
    for at, part in enumerate(plain.split("/")):
        for found in re.split(r"[\s*·]+", part.strip()):
            match = _FACTOR.fullmatch(found)
            if match is None:
                raise ToolRefused(f"“{text}” is no unit that is known here.")
            power = int(match["power"] or 1) * (-1 if at else 1)
            size, own = _find(match["name"])
            factor *= size**power
            for name, count in own:
                dimensions[name] += count * power
    return factor, _sorted(dimensions.items())


def _find(name: str) -> Unit:
    """By its symbol as it is written, with a prefix where it takes one, or by its name."""
    plain = name.lower().replace(" ", "_")
    for candidate in (name, plain, plain.removesuffix("s"), plain.removesuffix("es")):
        if candidate in UNITS:
            return UNITS[candidate]
    for prefixes, base in ((BINARY, 2), (PREFIXES, 10)):
        for prefix, exponent in prefixes.items():
            rest = name.removeprefix(prefix)
            if rest != name and rest in PREFIXED:
                size, own = UNITS[rest]
                return size * Fraction(base) ** exponent, own
    for prefix, exponent in WORDS.items():
        rest = plain.removeprefix(prefix).removesuffix("s")
        if plain.startswith(prefix) and rest in PREFIXED:
            size, own = UNITS[rest]
            return size * Fraction(10) ** exponent, own
    raise ToolRefused(f"“{name[:40]}” is no unit that is known here; rates of currencies are not.")


def _told(unit: Unit) -> str:
    return " ".join(f"{name}{'' if power == 1 else power}" for name, power in unit[1]) or "a number"


def _sorted(powers: Iterable[tuple[str, int]]) -> Dimensions:
    return tuple(sorted((name, power) for name, power in powers if power))


def _table() -> tuple[dict[str, Unit], frozenset[str]]:
    units: dict[str, Unit] = {}
    prefixed = set()
    for entry in re.split(r"[;\n]", TABLE.strip()):
        left, _equals, right = entry.partition("=")
        size, *dimensions = right.split()
        powers = [re.fullmatch(r"([A-Za-z]+)(-?\d+)?", one) for one in dimensions]
        own = _sorted((one[1], int(one[2] or 1)) for one in powers if one)
        names = left.replace("*", "").split()
        units |= dict.fromkeys(names, (Fraction(size), own))
        prefixed |= set(names) if left.strip().startswith("*") else set()
    return units, frozenset(prefixed)


UNITS, PREFIXED = _table()
