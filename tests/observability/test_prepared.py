"""Statements of the hot path are planned once, and mean what Django's own would."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from observability.postgres.prepared import numbered, prepared


def test_places_are_numbered_and_a_name_has_one_number():
    statement = numbered("select %(a)s::int + %(b)s::int, 7 %% %(a)s::int")
    assert statement.query == b"select $1::int + $2::int, 7 % $1::int"
    assert statement.names == ("a", "b")
    assert numbered("select %s::int, %s::int").query == b"select $1::int, $2::int"


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_planned_once_a_connection():
    for number in range(3):
        with prepared() as cursor:
            cursor.execute("select %(number)s::int + 1", {"number": number})
            assert cursor.fetchone() == (number + 1,)
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_prepared_statements where statement like '%::int + 1'"
        )
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_it_is_part_of_the_transaction_around_it_and_of_the_log_of_queries():
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        with prepared() as cursor:
            cursor.execute("create temporary table kept (id int primary key)")
        with prepared() as cursor:
            cursor.execute("insert into kept values (%s)", [1])
        with pytest.raises(IntegrityError), transaction.atomic(), prepared() as cursor:
            cursor.execute("insert into kept values (%s)", [1])
        transaction.set_rollback(True)
    assert any("insert into kept values ($1)" in str(query["sql"]) for query in asked)
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('kept')")
        assert cursor.fetchone() == (None,)
