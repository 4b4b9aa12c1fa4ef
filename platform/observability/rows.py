"""Instances of models from columns of raw SQL: what `Model.objects.raw` does, without its costs.

For statements of the hot path that read other things beside, or nothing else at all.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

from observability.postgres.prepared import Values, prepared

M = TypeVar("M", bound=models.Model)


@cache
def columns_of(model: type[models.Model], alias: str) -> str:
    """All columns of the model's table, which the statement calls `alias`."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def instance_of(model: type[M], values: Sequence[Any]) -> M:
    """The row that was read as `columns_of`."""
    names, conversions = _shape(model)
    found = list(values)
    for n, field, convert in conversions:
        found[n] = convert(found[n], field, connection)
    return model.from_db(DEFAULT_DB_ALIAS, names, found)


def find_one(model: type[M], statement: str, values: Values) -> M | None:
    """The first row of a statement that reads `columns_of` the model alone."""
    with prepared() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return None if row is None else instance_of(model, row)


@cache
def _shape(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Any, Any]]]:
    fields = model._meta.concrete_fields
    conversions = [
        (n, field.cached_col, convert)
        for n, field in enumerate(fields)
        for convert in field.get_db_converters(connection)
    ]
    return [field.attname for field in fields], conversions
