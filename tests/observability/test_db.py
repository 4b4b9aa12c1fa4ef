import asyncio

import pytest
from django.db import connection
from django.utils import translation

from observability.db import run_sync


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return cursor.fetchone()[0]


def sleep_in_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.3)")


@pytest.mark.django_db(transaction=True)
def test_queries_of_several_coroutines_run_side_by_side():
    async def scenario():
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(*(run_sync(sleep_in_database) for _ in range(4)))
        return loop.time() - started

    assert asyncio.run(scenario()) < 0.9


@pytest.mark.django_db(transaction=True)
def test_connections_are_given_back():
    """More turns than the pool has connections; one lost connection each would exhaust it."""

    async def scenario():
        return [await run_sync(backend_pid) for _ in range(25)]

    assert len(asyncio.run(scenario())) == 25


@pytest.mark.django_db(transaction=True)
def test_a_failing_function_gives_its_connection_back_too():
    def fail():
        backend_pid()
        raise LookupError

    async def scenario():
        for _ in range(25):
            with pytest.raises(LookupError):
                await run_sync(fail)
        return await run_sync(backend_pid)

    assert asyncio.run(scenario()) > 0


def test_the_language_of_the_caller_comes_along():
    async def scenario():
        with translation.override("zh-hant"):
            chinese = await run_sync(translation.get_language)
        return chinese, await run_sync(translation.get_language)

    assert asyncio.run(scenario()) == ("zh-hant", "en")
