"""Rows of a run are written by whoever holds it, in one statement with the look at that.

Somebody who slept longer than their lease would otherwise begin a call that its next holder has
made. The stream's row is locked for as long as the statement takes: it is claimed before, and then
nothing is written here, or after, and then what was written is seen.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from events.types import LeaseLost
from observability.postgres.prepared import prepared
from security.ids import new_id

HELD = """
    held as (
        select id from events_stream
        where id = %(run_id)s and fence = %(fence)s and state = 'running'
        for share
    )
"""


def insert(
    model: type[Model], values: Mapping[str, Any], conflict: str, fence: int | None = None
) -> None:
    """One statement and one wait for the disk. Raises LeaseLost, having written nothing, where
    `fence` is not the current one of the stream that is the row's run."""
    row: dict[str, Any] = {"id": new_id(), "created_at": timezone.now(), **values}
    types = _types(model)
    marks = ", ".join(f"%({name})s::{types[name]}" for name in row)
    into = f"insert into {model._meta.db_table} ({', '.join(row)})"
    if fence is None:
        statement = f"{into} values ({marks}) on conflict {conflict}"
        with prepared() as cursor:
            cursor.execute(statement, row)
        return
    statement = (
        f"with {HELD}, stored as ("  # noqa: S608 - names of our own columns
        f"{into} select {marks} from held on conflict {conflict}) select from held"
    )
    with prepared() as cursor:
        cursor.execute(statement, row | {"fence": fence})
        if cursor.fetchone() is None:
            raise LeaseLost(str(row["run_id"]))


def delete(model: type[Model], run_id: UUID, where: str, values: Mapping[str, Any],
    fence: int | None = None,
) -> None:  # fmt: skip
    """The rows of the run `where` that is so; in one statement, and refused, like `insert`."""
    gone = f"delete from {model._meta.db_table} where run_id = %(run_id)s and {where}"  # noqa: S608 - ours
    statement, named = gone, {**values, "run_id": run_id, "fence": fence}
    if fence is not None:
        gone = f"{gone} and exists (select from held)"
        statement = f"with {HELD}, gone as ({gone}) select from held"
    with prepared() as cursor:
        cursor.execute(statement, named)
        if fence is not None and cursor.fetchone() is None:
            raise LeaseLost(str(run_id))


@cache
def _types(model: type[Model]) -> dict[str, str]:
    """Of its columns, without lengths: a cast would cut what is too long, and say nothing."""
    return {
        str(field.column): re.sub(r"\(\d+\)", "", field.db_type(connection) or "")
        for field in model._meta.concrete_fields
    }
