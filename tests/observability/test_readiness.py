import json

import psycopg
import pytest
from django.conf import settings

from observability import draining, heartbeats, readiness
from observability.db import connect_directly

pytestmark = pytest.mark.django_db


@pytest.fixture
def runner_seen():
    with heartbeats.beating("runner"):
        yield


def test_health_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})
    assert "no-store" in response.headers["Cache-Control"]


def test_ready_when_everything_is_there(client, runner_seen):
    response = client.get("/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": dict.fromkeys(("postgres", "migrations", "redis", "runner"), "ok"),
    }


def test_not_ready_without_a_runner(client):
    response = client.get("/ready")

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "no runner" in response.json()["checks"]["runner"]


def test_not_ready_without_redis_and_soon_told(client, settings, tmp_path):
    """The answer names what is missing and never an address."""
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    heartbeats.connection.cache_clear()
    try:
        response = client.get("/ready")
    finally:
        heartbeats.connection.cache_clear()

    assert response.status_code == 503
    assert response.json()["checks"]["redis"] == "Redis does not answer"
    assert str(tmp_path) not in json.dumps(response.json())


def test_not_ready_while_stopping(client, monkeypatch):
    event = type(draining._stopping)()
    event.set()
    monkeypatch.setattr(draining, "_stopping", event)

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json()["checks"] == {"draining": "this process is stopping"}


def test_a_missing_migration_is_counted():
    with connect_directly() as connection:
        assert readiness.unapplied_migrations(connection) == set()
        row = connection.execute("select app, name from django_migrations limit 1").fetchone()
        connection.execute("begin")
        connection.execute("delete from django_migrations where app = %s and name = %s", row)
        assert readiness.unapplied_migrations(connection) == {row}
        connection.execute("rollback")


def test_an_empty_database_lacks_all_migrations():
    with psycopg.connect(settings.PARLEY_HOME.database_url("postgres")) as connection:
        missing = readiness.unapplied_migrations(connection)

    assert ("accounts", "0001_initial") in missing
    assert len(missing) > 20


def test_heartbeats_end_with_their_process():
    with heartbeats.beating("clock"):
        heartbeats.beat("clock")
        (seen,) = heartbeats.seen("clock")
        assert seen.kind == "clock"

    assert heartbeats.seen("clock") == []
