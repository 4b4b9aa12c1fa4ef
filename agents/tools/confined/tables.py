"""SQL over tables: DuckDB in memory, on rows of the files that were named, and nothing else.

The files are read first; then DuckDB gives up files, network, extensions and its configuration for
ever, and only then the query is looked at. The kernel forbids the same (`child`).
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import duckdb

from agents.tools.confined.child import Refused
from knowledge.extraction.decoding import decode

MOST_ROWS = 200  # of a result
MOST_COLUMNS = 300
MOST_CELLS = 5_000_000  # of a file that is read here
MOST_SHEETS = 20
LONGEST_CELL = 300
LONGEST = 12_000  # characters of an answer
SHOWN_ROWS = 3  # of each table, where nothing is asked
CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1", "memory_limit": "384MB", "temp_directory": "", "python_enable_replacements":
    "false", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
}  # fmt: skip
# Opened while the process may still start threads, which DuckDB does here and never again.
DATABASE = duckdb.connect(":memory:", config=CONFIGURATION)
TYPES = {
    bool: "BOOLEAN", float: "DOUBLE", datetime: "TIMESTAMP", date: "DATE", time: "TIME",
}  # fmt: skip
READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """`files` in the order of their names `t1`, `t2` …; without `sql` what they hold."""
    database = DATABASE
    tables = [
        table
        for n, file in enumerate(asked["files"], 1)
        for table in _load(database, f"t{n}", Path(file["path"]), file["kind"])
    ]
    database.execute("set enable_external_access = false")
    database.execute("set lock_configuration = true")
    try:
        return _asked(database, asked["sql"]) if asked["sql"] else _described(database, tables)
    except duckdb.OutOfMemoryException:
        raise Refused("The query needs more memory than is allowed.") from None
    except duckdb.Error as error:
        raise Refused(
            f"{str(error)[:600]}\nTables: {', '.join(name for name, _ in tables)}."
        ) from None


# -- What is asked ---------------------------------------------------------------------------------


def _asked(database: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    statements = database.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in READS:
        raise Refused("Write one SELECT.")
    found = database.execute(statements[0])
    columns = [str(column[0]) for column in found.description or []]
    rows = [[_cell(value) for value in row] for row in found.fetchmany(MOST_ROWS + 1)]
    more = "There are more rows: aggregate, or use LIMIT and OFFSET." if rows[MOST_ROWS:] else ""
    text, count = _drawn(columns, rows[:MOST_ROWS])
    if count < min(len(rows), MOST_ROWS):
        more = f"Only {count} rows are shown: ask for fewer columns or rows."
    shown = [*rows[:count]]
    return {"text": f"{text}\n{more}".strip(), "columns": columns, "rows": shown}


def _described(
    database: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    parts = []
    for name, label in tables:
        types = database.execute(f'describe "{name}"').fetchall()  # a name of ours
        count = database.execute(f'select count(*) from "{name}"').fetchall()[0][0]  # noqa: S608
        first = database.execute(f'from "{name}" limit {SHOWN_ROWS}').fetchall()
        columns = ", ".join(f'"{column[0]}" {column[1]}' for column in types)
        rows, _ = _drawn([str(c[0]) for c in types], [[_cell(v) for v in row] for row in first])
        parts.append(f"{name}{label}: {count} rows. Columns: {columns}\n{rows}")
    return {"text": "\n\n".join(parts)[:LONGEST], "columns": [], "rows": []}


def _cell(value: Any) -> Any:
    """As JSON has it; what is long is cut."""
    if value is None or isinstance(value, bool | int):
        return value if value is None or abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    text = str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, int]:
    """As CSV, and how many rows fit."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        before = target.tell()
        writer.writerow(["" if value is None else value for value in row])
        if target.tell() > LONGEST:
            target.truncate(before)
            break
        count += 1
    return target.getvalue()[:LONGEST].rstrip("\n"), count


# -- What the files hold ---------------------------------------------------------------------------


def _load(
    database: duckdb.DuckDBPyConnection, name: str, path: Path, kind: str
) -> list[tuple[str, str]]:
    """Make a table of the file, of each of its sheets; their names and what they are called."""
    if kind == "csv":
        data = path.read_bytes()
        try:
            data.decode()  # DuckDB guesses at other encodings, and badly
            database.execute(f'create table "{name}" as from read_csv(?)', [str(path)])
        except (UnicodeDecodeError, duckdb.Error):
            _fill(database, name, _of_text(data))
        return [(name, "")]
    made = []
    for n, (title, rows) in enumerate(_sheets(path), 1):
        table = name if n == 1 else f"{name}_{n}"
        _fill(database, table, rows)
        made.append((table, f" (sheet “{title}”)"))
    return made


def _of_text(data: bytes) -> Iterable[Sequence[Any]]:
    """Whatever its encoding and its separator."""
    text = decode(data)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:20_000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    return csv.reader(io.StringIO(text, newline=""), dialect)


def _sheets(path: Path) -> Iterable[tuple[str, Iterable[Sequence[Any]]]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - most files need it not

    try:
        book = load_workbook(path.open("rb"), read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - a parser may raise anything
        raise Refused(f"The file cannot be read: {type(error).__name__}.") from None
    for sheet in book.worksheets[:MOST_SHEETS]:
        yield sheet.title, sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)


def _fill(database: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Sequence[Any]]) -> None:
    """The first row that has words names the columns; each has the type that all of it has."""
    rows = iter(rows)
    head: Sequence[Any] = next((row for row in rows if any(map(_has_words, row))), ())
    names = _column_names(head)
    columns: list[list[Any]] = [[] for _ in names]
    for n, row in enumerate(rows):
        if (n + 1) * len(names) > MOST_CELLS:
            raise Refused("The table is too large to be read here.")
        for at, column in enumerate(columns):
            column.append(row[at] if at < len(row) else None)
    if not names:
        names, columns = ["nothing"], [[]]
    kinds = [_kind_of(column) for column in columns]
    fields = ", ".join(f'"{column}" {kind}' for column, kind in zip(names, kinds, strict=True))
    database.execute(f'create table "{name}" ({fields})')
    values = [[_as(kind, v) for v in c] for kind, c in zip(kinds, columns, strict=True)]
    parts = ", ".join("unnest(?)" for _ in names)
    for start in range(0, len(values[0]), 50_000):
        piece = [column[start : start + 50_000] for column in values]
        database.execute(f'insert into "{name}" select {parts}', piece)


def _column_names(head: Sequence[Any]) -> list[str]:
    """Without quotes, none twice, whatever a file calls them."""
    found: dict[str, None] = {}
    for n, value in enumerate(islice(head, MOST_COLUMNS), 1):
        plain = " ".join(str("" if value is None else value).replace('"', "'").split())[:60]
        name = plain or f"column{n}"
        while name.casefold() in {one.casefold() for one in found}:
            name += "_"
        found[name] = None
    return list(found)


def _kind_of(values: Sequence[Any]) -> str:
    kinds = {_type_of(value) for value in values} - {""}
    if kinds <= {"BIGINT", "DOUBLE"} and kinds:
        return "DOUBLE" if "DOUBLE" in kinds else "BIGINT"
    return kinds.pop() if len(kinds) == 1 else "VARCHAR"


def _type_of(value: Any) -> str:
    """Empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return _type_of_text(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return "BIGINT" if abs(value) < 2**63 else "VARCHAR"
    found = (name for kind, name in TYPES.items() if isinstance(value, kind))
    return next(found, "VARCHAR")


def _type_of_text(text: str) -> str:
    if text.isascii() and text.lstrip("-").isdigit() and len(text) < 18:
        return "BIGINT" if text == str(int(text)) else "VARCHAR"  # 007 is no number
    return "DOUBLE" if _is_decimal(text) else "VARCHAR"


def _is_decimal(text: str) -> bool:
    whole, point, part = text.lstrip("-").partition(".")
    return bool(point) and text.isascii() and whole.isdigit() and part.isdigit()


def _as(kind: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if kind == "VARCHAR":
        return str(value)
    if kind == "BIGINT":
        return int(value)
    return float(value) if kind == "DOUBLE" else value


def _has_words(value: Any) -> bool:
    return value is not None and bool(str(value).strip())
