"""Units: exact, by dimension, and nothing converted that does not measure the same."""

import pytest

from agents.tools.types import ToolRefused


@pytest.mark.parametrize(
    ("amount", "unit", "to", "said"),
    [
        ("5", "km", "mi", "≈ 3.10685596118667 (78125/25146)"),
        ("1", "mile", "km", "= 1.609344"),
        ("100", "km/h", "m/s", "≈ 27.7777777777778 (250/9)"),
        ("36", "km per hour", "m/s", "= 10"),
        ("20", "°C", "F", "= 68"),
        ("-40", "degrees Fahrenheit", "Celsius", "= -40"),
        ("0", "K", "°C", "= -273.15"),
        ("3", "GiB", "MB", "= 3221.225472"),
        ("1", "Mbit/s", "kB/s", "= 125"),
        ("1", "kWh", "MJ", "= 3.6"),
        ("2", "square feet", "m2", "= 0.18580608"),
        ("1", "m³", "litres", "= 1000"),
        ("1", "kg m/s²", "N", "= 1"),
        ("15", "亩", "ha", "= 1"),
        ("3", "斤", "kg", "= 1.5"),
        ("180", "deg", "rad", "≈ 3.14159265358979"),
        ("2.5", "kilometres", "m", "= 2500"),
        ("1", "lb", "g", "= 453.59237"),
    ],
)
def test_it_is_converted(call, nobody, amount: str, unit: str, to: str, said: str) -> None:
    found = call(nobody, "convert_units", amount=amount, unit=unit, to=to)
    assert found.text == f"{amount} {unit} {said} {to}"


@pytest.mark.parametrize(
    ("amount", "unit", "to", "why"),
    [
        ("1", "kg", "m", "do not measure the same"),
        ("1", "USD", "EUR", "currencies"),
        ("one", "m", "km", "no decimal number"),
        ("1e99999", "m", "km", "too large"),
        ("1", "m^99", "km", "no unit"),
        ("1", "__class__", "km", "no unit"),
        ("1", "m//s", "km", "no unit"),
    ],
)
def test_it_is_refused(call, nobody, amount: str, unit: str, to: str, why: str) -> None:
    with pytest.raises(ToolRefused, match=why):
        call(nobody, "convert_units", amount=amount, unit=unit, to=to)
