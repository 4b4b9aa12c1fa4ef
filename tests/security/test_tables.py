"""Exports that a spreadsheet opens: s28."""

import csv
import io
from decimal import Decimal
from uuid import UUID

import pytest

from security.tables import csv_lines

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://127.0.0.1","a")', "\uff1d1", "\ufeff=1", "\u200b=1", '"=1"\n=1'[4:],
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_s28_no_cell_is_a_formula(text: str):
    (line,) = csv_lines([["name", text]])
    ((_, cell),) = csv.reader(io.StringIO(line, newline=""))
    assert cell == f"'{text}"


def test_everything_else_is_as_it_was():
    row = [
        "plain",
        "a,b",
        'say "a"',
        "two\nlines",
        "年假",
        -5,
        0.5,
        None,
        True,
        Decimal("2.5"),
        UUID(int=7),
    ]
    (line,) = csv_lines([row])
    (cells,) = csv.reader(io.StringIO(line, newline=""))
    assert cells == ["" if value is None else str(value) for value in row]


def test_lines_are_made_one_by_one():
    def endless():
        while True:
            yield ["a"]

    assert next(csv_lines(endless())) == "a\r\n"
