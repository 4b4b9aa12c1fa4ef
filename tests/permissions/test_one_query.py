"""Permission and read are one statement: a grant taken away in between opens nothing (s6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from tests.permissions.rows import ROWS
from tests.permissions.test_matrix import ROUTES, hang_up, is_read, send
from tests.support.world import CANARY, World

pytestmark = pytest.mark.django_db


@contextmanager
def carriers(found: set[str]) -> Iterator[None]:
    """Collects the statements whose rows hold the canary."""

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        cursor = context["cursor"].cursor
        if cursor.description and (rows := cursor.fetchall()):
            cursor.scroll(0, mode="absolute")
            if CANARY in str(rows):
                found.add(sql)
        return result

    with connection.execute_wrapper(look):
        yield


def test_s06_what_a_reader_is_told_is_read_with_the_right_to_it(world: World):
    unguarded, read = [], 0
    for route in ROUTES:
        for row in ROWS.get(route, []):
            if not is_read(route, row):
                continue
            found: set[str] = set()
            with transaction.atomic():
                hang_up(send(world, "reader", route, row, world.ids))  # what is made on first use
                with carriers(found):
                    hang_up(send(world, "reader", route, row, world.ids))
                transaction.set_rollback(True)
            read += len(found)
            unguarded += [f"{route}: {sql}" for sql in found if "accounts_grant" not in sql]
    assert read > 20
    assert not unguarded, "\n".join(unguarded)
