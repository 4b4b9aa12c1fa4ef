"""JSON and JSON Lines: records as tables or lists of their fields, under what they belong to."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from knowledge.extraction.decoding import decode
from knowledge.extraction.reasons import DAMAGED, NESTED, ExtractionFailed
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

DEEPEST = 100
HEADINGS = 3  # levels of names that become headings; what is deeper is indented
WIDEST = 40  # columns of a table; records with more are lists
LONGEST_FIELD = 200  # characters of a cell; records with longer ones are lists


def extract_json(path: Path) -> Extracted:
    builder = TextBuilder()
    _add(builder, load_json(path.read_bytes()), 1)
    return builder.extracted()


def extract_jsonl(path: Path) -> Extracted:
    """A line that is no JSON ends the reading: half a record is none."""
    text = decode(path.read_bytes())
    records = [_loads(line) for line in text.split("\n") if line.strip()]
    builder = TextBuilder()
    _add(builder, records, 1)
    return builder.extracted()


def load_json(data: bytes) -> Any:
    """Raises `ExtractionFailed` for what is no JSON, or is nested beyond reading."""
    return _loads(decode(data))


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str)  # digits as they stand in the file
    except RecursionError as error:
        raise ExtractionFailed(NESTED) from error
    except ValueError as error:
        raise ExtractionFailed(DAMAGED) from error


def _add(builder: TextBuilder, value: Any, level: int) -> None:
    """Names of what holds more become headings; the rest stands below them."""
    if isinstance(value, list) and _is_table(value):
        columns = list(dict.fromkeys(name for record in value for name in record))
        rows = ([_written(record.get(name)) for name in columns] for record in value)
        add_table(builder, (row for part in ([columns], rows) for row in part))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for each in value:
            builder.add(BlockKind.CODE, "\n".join(_lines(each)))
    elif isinstance(value, dict) and level <= HEADINGS:
        plain = {name: each for name, each in value.items() if not _holds_more(each)}
        builder.add(BlockKind.CODE, "\n".join(_lines(plain)))
        for name, each in value.items():
            if _holds_more(each):
                builder.add(BlockKind.HEADING, name, level=level)
                _add(builder, each, level + 1)
    else:
        builder.add(BlockKind.CODE, "\n".join(_lines(value)))


def _holds_more(value: Any) -> bool:
    """Whether it has a heading of its own: records, and what has records in it."""
    if isinstance(value, list):
        return any(isinstance(each, dict | list) for each in value)
    return isinstance(value, dict) and bool(value)


def _is_table(records: Sequence[Any]) -> bool:
    """Records of the same kind: flat, with few fields, most of which all of them have."""
    if len(records) < 2 or not all(isinstance(record, dict) for record in records):
        return False
    names = {name for record in records[:1000] for name in record}
    filled = sum(len(record) for record in records[:1000]) / min(len(records), 1000)
    if not 1 < len(names) <= WIDEST or filled < len(names) / 2:
        return False
    fields = (each for record in records for each in record.values())
    return all(not isinstance(f, dict | list) and len(str(f)) <= LONGEST_FIELD for f in fields)


def _lines(value: Any, depth: int = 0) -> Iterator[str]:
    """`name: value`, what is inside indented below, as YAML has it."""
    if depth > DEEPEST:
        raise ExtractionFailed(NESTED)
    indent = "  " * depth
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, dict | list) and each:
                yield f"{indent}{name}:"
                yield from _lines(each, depth + 1)
            else:
                yield f"{indent}{name}: {_written(each)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list) and each:
                first, *rest = _lines(each, depth + 1)
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_written(each)}"
    else:
        yield f"{indent}{_written(value)}"


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict() | list():
            return json.dumps(value)
        case _:
            return str(value)
