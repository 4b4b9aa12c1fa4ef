"""Many questions at once, from CSV or JSON lines: looked through first, with what is wrong by line.

CSV has a heading: `question`, and of `document` (id, title or file name), `quote`, `nothing` (yes
or no) and `note` what there is; the same question may stand in several lines. A line of JSON has
`question`, `expected` (a list of {"document", "quote"}), `must_find_nothing` and `note`.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from knowledge.models import Collection, Document, DocumentText
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import (
    MOST_EXPECTED,
    Expectation,
    Origin,
    add_question,
    checked,
    place_of,
    require_editor,
)

MOST_BYTES = 500_000
MOST_LINES = 2_000
YES = frozenset({"1", "yes", "y", "true", "x", "是", "ja"})
NO = frozenset({"", "0", "no", "n", "false", "否", "nein"})
NAMES = {"must_find_nothing": "nothing", "text": "question", "passage": "quote", "file": "document"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, by its number; `problem` says why it cannot be taken."""

    number: int
    question: str
    expected: tuple[Expectation, ...] = ()
    must_find_nothing: bool = False
    note: str = ""
    problem: str = ""
    titles: tuple[str, ...] = field(default=(), compare=False)


def look_through(user: User, collection: Collection, content: str) -> list[Line]:
    """Every line as it would be taken; nothing is written. Raises QuestionRefused for a file that
    cannot be read at all."""
    require_editor(user, collection.pk)
    if len(content.encode(errors="replace")) > MOST_BYTES:
        raise QuestionRefused(_("The file is larger than %d KB.") % (MOST_BYTES // 1000))
    rows = list(_rows(content.lstrip("\ufeff").replace("\0", "")))
    if not rows:
        raise QuestionRefused(_("There are no questions in this file."))
    if len(rows) > MOST_LINES:
        raise QuestionRefused(_("At most %d lines are taken at once.") % MOST_LINES)
    return [_line(collection, number, row) for number, row in rows]


def take(user: User, collection: Collection, lines: list[Line]) -> int:
    """Add the lines without a problem; how many questions these are."""
    added: set[UUID] = set()
    for line in lines:
        if line.problem:
            continue
        made = add_question(
            user, collection, line.question,
            expected=line.expected, must_find_nothing=line.must_find_nothing,
            origin=Origin.IMPORTED, note=line.note,
        )  # fmt: skip
        added.add(made.pk)
    return len(added)


def _rows(content: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Each line with its fields, or with what is wrong with it."""
    if content.lstrip().startswith("{"):
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield number, _json(line)
        return
    heading = content.split("\n", 1)[0]
    mark = max(",;\t", key=heading.count)
    reader = csv.DictReader(io.StringIO(content), delimiter=mark)
    names = [_name(name) for name in reader.fieldnames or []]
    if "question" not in names:
        raise QuestionRefused(
            _("The first line must name the columns: question, document, quote, nothing, note.")
        )
    reader.fieldnames = names
    for row in reader:
        if any(value for value in row.values() if isinstance(value, str)):
            yield reader.line_num, row


def _name(heading: str) -> str:
    name = heading.strip().lower().replace(" ", "_")
    return NAMES.get(name, name)


def _json(line: str) -> Mapping[str, Any] | str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return _("This is no JSON.")
    if not isinstance(value, dict):
        return _("This is no JSON object.")
    return {_name(str(key)): one for key, one in value.items()}


def _line(collection: Collection, number: int, row: Mapping[str, Any] | str) -> Line:
    if isinstance(row, str):
        return Line(number, "", problem=row)
    question = str(row.get("question") or "")
    try:
        is_nothing = _yes(row.get("nothing"))
        found = [resolve(collection, *one) for one in _named(row)]
        expected = tuple(one for one, _title in found)
        text = checked(question, list(expected), must_find_nothing=is_nothing)
    except QuestionRefused as refusal:
        return Line(number, question[:300], problem=str(refusal))
    if not expected and not is_nothing:
        missing = _("Say what it is to find, or that it must find nothing.")
        return Line(number, text, problem=missing)
    note = str(row.get("note") or "")
    titles = tuple(title for _one, title in found)
    return Line(number, text, expected, is_nothing, note, titles=titles)


def _yes(value: Any) -> bool:
    said = str(value if value is not None else "").strip().lower()
    if said in YES:
        return True
    if said in NO:
        return False
    raise QuestionRefused(_("“nothing” is yes or no."))


def _named(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Documents and quotes as the line names them."""
    listed = row.get("expected") or []
    if not isinstance(listed, list) or len(listed) > MOST_EXPECTED:
        raise QuestionRefused(_("“expected” is a list of at most %d passages.") % MOST_EXPECTED)
    pairs = [(row.get("document"), row.get("quote"))]
    for one in listed:
        entry = one if isinstance(one, dict) else {"quote": one}
        pairs.append((entry.get("document"), entry.get("quote")))
    texts = [(str(document or "").strip(), str(quote or "").strip()) for document, quote in pairs]
    return [pair for pair in texts if any(pair)]


def resolve(collection: Collection, named: str, quote: str) -> tuple[Expectation, str]:
    document = _document(collection, named) if named else _quoting(collection, quote)
    start = place_of(collection.pk, document.pk, quote)
    return Expectation(document.pk, quote, start), document.title


def _document(collection: Collection, named: str) -> Document:
    rows = Document.objects.filter(collection=collection)
    which = Q(title__iexact=named) | Q(file_name__iexact=named)
    with suppress(ValueError):
        which |= Q(pk=UUID(named))
    return _one(list(rows.filter(which)[:2]), named)


def _quoting(collection: Collection, quote: str) -> Document:
    texts = DocumentText.objects.filter(document__collection=collection, text__contains=quote)
    found = texts.select_related("document").defer("text")[:2]
    return _one([text.document for text in found], quote)


def _one(found: list[Document], named: str) -> Document:
    if len(found) == 1:
        return found[0]
    if found:
        raise QuestionRefused(_("“%s” means several documents; name one by its id.") % named[:60])
    raise QuestionRefused(_("No document here is, or says, “%s”.") % named[:60])
