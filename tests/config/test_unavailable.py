"""Postgres or Redis away: 503 that says when to come back, never 500, and one line in the log."""

import re

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import get_resolver
from psycopg_pool import PoolTimeout

from accounts import tokens
from observability import doorbell
from security.cache import absence
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.django_db
ERRORS = [OperationalError("the server closed the connection"), InterfaceError("closed"),
          PoolTimeout("couldn't get a connection after 10.00 sec")]  # fmt: skip


@pytest.fixture
def fail(monkeypatch):
    """Makes what every view or request needs meet an outage."""
    assert get_resolver().url_patterns  # loaded now, so that no view keeps the broken name

    def make(place, error):
        def away(*_arguments, **_options):
            raise error

        monkeypatch.setattr(place, away)

    return make


def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["agents.selectors.list_agents", "accounts.tokens.authenticate"])
def test_the_api_says_when_to_come_back(alice, api_for, fail, caplog, error, place):
    api = api_for(alice)
    fail(place, error)
    response = api.get("/agents")
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "5"
    assert response.json()["type"] == "urn:parley:problem:unavailable"
    said = [record for record in caplog.records if str(error) in record.getMessage()]
    assert len(said) == 1
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("path", ["/api/v1/agents", "/settings/", "/"])
@pytest.mark.parametrize(
    "place",
    ["django.contrib.sessions.backends.db.SessionStore.load",
     "accounts.middleware.PreferencesMiddleware.__call__"],
)  # fmt: skip
def test_nobody_is_signed_out_or_told_500(alice, fail, caplog, path, place):
    client = browser()
    client.force_login(alice)
    fail(place, OperationalError("no room"))
    response = client.get(path, headers={"Accept-Language": "zh-Hans"})
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response.cookies == {}
    is_api = path.startswith("/api/")
    assert response["Content-Type"].startswith("application/problem" if is_api else "text/html")
    text = response.content.decode()
    assert re.search("[一-鿿]", text)
    assert ('lang="zh-Hans"' in text) is not is_api
    assert "<script" not in text
    assert "style=" not in text
    assert len([record for record in caplog.records if "no room" in record.getMessage()]) == 1
    assert "Traceback" not in caplog.text


def test_an_error_of_ours_stays_a_500(alice, fail, caplog):
    client = browser()
    client.force_login(alice)
    fail("accounts.middleware.PreferencesMiddleware.__call__", RuntimeError("a mistake"))
    response = client.get("/settings/")
    assert response.status_code == 500
    assert "a mistake" in caplog.text


@pytest.fixture
def no_redis(settings, tmp_path):
    """Everything of this process that asks Redis asks at an address where nobody is."""
    address = f"unix://{tmp_path}/nothing.sock"
    settings.REDIS_URL = address
    settings.RQ_QUEUES = {"default": django_settings.RQ_QUEUES["default"] | {"URL": address}}
    settings.CACHES = {"default": django_settings.CACHES["default"] | {"LOCATION": address}}
    doorbell.connection.cache_clear()
    absence.ends_at = 0.0
    cache.clear()
    yield
    doorbell.connection.cache_clear()
    cache.clear()
    absence.ends_at = 0.0


def test_without_redis_people_sign_in_and_guessing_is_slowed(no_redis, alice, bob):
    def sign_in(email, password):
        form = {"login": email, "password": password}
        return browser().post("/accounts/login/", form).status_code

    assert sign_in(bob.email, PASSWORD) == 302
    for _ in range(10):
        assert sign_in(alice.email, "wrong") == 200
    assert sign_in(alice.email, PASSWORD) == 200
    assert sign_in(bob.email, PASSWORD) == 302


@pytest.mark.django_db(transaction=True)  # what rings, rings after a commit
def test_without_redis_everything_else_answers(no_redis, alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    client = browser()
    client.force_login(alice)
    token = {"Authorization": f"Bearer {tokens.issue(alice, 't')[1]}"}
    made = client.post("/api/v1/collections", {"name": "A"}, "application/json", headers=token)
    documents = f"/api/v1/collections/{made.json()['id']}/documents"
    file = SimpleUploadedFile("note.md", b"# Note")
    assert client.post(documents, {"file": file}, headers=token).status_code == 202
    asked = client.post("/api/v1/conversations", {}, "application/json", headers=token)
    turns = f"/api/v1/conversations/{asked.json()['id']}/turns"
    said = client.post(turns, {"text": "When?"}, "application/json", headers=token)
    assert said.status_code == 202
    stop = f"/api/v1/turns/{said.json()['turn_id']}/stop"
    assert client.post(stop, headers=token).status_code == 202
    for path in ("/", "/knowledge/", "/settings/", "/metrics", "/health", "/agents/"):
        assert client.get(path).status_code == 200, path
    assert client.get("/ready").status_code == 503


def test_a_redis_that_comes_back_is_asked_again(no_redis, settings):
    cache.set("word", "remembered here")
    assert cache.get("word") == "remembered here"
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": settings.PARLEY_HOME.redis_url()}
    }
    assert cache.get("word") == "remembered here"
    absence.ends_at = 0.0
    assert cache.get("word") is None
