"""Cursor paging: a page is found by where the last one ended, never by counting rows.

A cursor is opaque to clients and holds the sort values of the last item; it grants nothing, since
the query it narrows is already limited to what the caller may see.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

M = TypeVar("M", bound=Model)


class InvalidCursor(ValueError):
    def __init__(self) -> None:
        super().__init__(
            _("This cursor is not one that this list gave out. Start again without a cursor.")
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    items: list[M]
    next: str | None


def paginate(
    queryset: QuerySet[M], order: Sequence[str], cursor: str | None, limit: int
) -> Page[M]:
    """The `limit` rows after `cursor`, by one query of `limit + 1` rows.

    `order` names fields, or texts that the rows are annotated with; the last one unique, all
    ascending or all descending (`-`).
    Raises InvalidCursor.
    """
    names = [name.lstrip("-") for name in order]
    rows = queryset.order_by(*order)
    if cursor:
        rows = rows.filter(_after(queryset.model, names, cursor, order[0].startswith("-")))
    found = list(rows[: limit + 1])
    items = found[:limit]
    return Page(items, cursor_after(items[-1], order) if len(found) > limit else None)


def cursor_after(item: Model, order: Sequence[str]) -> str:
    """For the rows behind this one."""
    return _encode(item, [name.lstrip("-") for name in order])


def _after(model: type[M], names: list[str], cursor: str, is_descending: bool) -> Q:
    """(a, b) < (x, y), written as a < x or (a = x and b < y)."""
    operator = "lt" if is_descending else "gt"
    condition, same = Q(), Q()
    for name, value in zip(names, _decode(model, names, cursor), strict=True):
        condition |= same & Q(**{f"{name}__{operator}": value})
        same &= Q(**{name: value})
    return condition


def _encode(item: Model, names: list[str]) -> str:
    fields = {field.name: field for field in item._meta.concrete_fields}
    values = [
        fields[name].value_to_string(item) if name in fields else str(getattr(item, name))
        for name in names
    ]
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(model: type[M], names: list[str], cursor: str) -> list[Any]:
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise InvalidCursor
        pairs = zip(names, values, strict=True)
        fields = {field.name: field for field in model._meta.concrete_fields}
        decoded = [
            fields[name].to_python(value) if name in fields else value for name, value in pairs
        ]
    except (ValueError, ValidationError) as error:
        raise InvalidCursor from error
    if None in decoded or any(isinstance(value, str) and "\0" in value for value in decoded):
        raise InvalidCursor
    return decoded
