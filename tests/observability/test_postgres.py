"""The pool hands out living connections, and does not ask Postgres each time."""

import pytest
from django.db import connection, connections

from observability.db import connect_directly
from observability.postgres import base


@pytest.fixture
def asked(monkeypatch):
    """How often Postgres was asked whether a connection lives."""
    calls = []
    ask = base.ConnectionPool.check_connection

    def counted(conn):
        calls.append(conn)
        ask(conn)

    monkeypatch.setattr(base.ConnectionPool, "check_connection", staticmethod(counted))
    return calls


def backend_after_use():
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
    connections.close_all()
    return pid


@pytest.mark.django_db(transaction=True)
def test_a_connection_in_use_is_not_asked_about_each_time(asked):
    connections.close_all()
    pids = {backend_after_use() for _ in range(20)}
    assert len(asked) <= len(pids) < 20  # each that the pool had, once


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_postgres_has_ended_is_never_handed_out(asked):
    connections.close_all()
    first = backend_after_use()
    with connect_directly() as another:
        another.execute("select pg_terminate_backend(%s, 5000)", [first])
    assert backend_after_use() != first
