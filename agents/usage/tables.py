"""Usage as a table that leaves: each day by everything that calls are counted by."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from agents.usage.audience import Whose
from agents.usage.names import names_of
from agents.usage.selectors import read_cells
from agents.usage.spans import Span
from agents.usage.sums import COUNTED
from security.tables import csv_lines

BATCH = 1000
NAMED = {"person": "account_id", "agent": "agent_id", "token": "token_id"}
HEAD = (
    "day", "person", "person_id", "agent", "agent_id", "token", "token_id", "team_ids", "model",
    "endpoint", "purpose", *COUNTED, "cost", "currency",
)  # fmt: skip


def write_table(whose: Whose, span: Span, path: Path) -> int:
    """CSV for spreadsheets, none of whose cells is a formula; an unknown cost is an empty cell.

    Returns how many rows. Memory stays flat however many there are.
    """
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.writelines(csv_lines([HEAD]))
        for batch in _batches(whose, span):
            file.writelines(csv_lines(_lines(whose, batch)))
            written += len(batch)
    return written


def _batches(whose: Whose, span: Span) -> Iterator[list[dict[str, Any]]]:
    rows = iter(read_cells(whose, span))
    while batch := list(islice(rows, BATCH)):
        yield batch


def _lines(whose: Whose, batch: list[dict[str, Any]]) -> Iterator[list[object]]:
    names = {
        dimension: names_of(whose, dimension, {row[column] for row in batch})
        for dimension, column in NAMED.items()
    }
    for row in batch:
        line: list[object] = [row["day"].isoformat()]
        for dimension, column in NAMED.items():
            line += [names[dimension].get(row[column], ""), row[column]]
        line += [" ".join(map(str, row["team_ids"])), row["model_name"], row["endpoint_name"]]
        line += [row["purpose"], *(row[name] for name in COUNTED)]
        yield [*line, _cost(row), row["currency"]]


def _cost(row: dict[str, Any]) -> float | None:
    """Nothing where every call's cost is unknown."""
    is_unknown = row["cost"] is None or row["uncosted"] >= row["calls"]
    return None if is_unknown else float(row["cost"])
