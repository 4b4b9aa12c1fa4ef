"""A stack of its own, filled from one dump: alice, her session and token, a scripted model."""

import subprocess

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import tokens
from accounts.models import User
from agents.models import Agent
from embedded import postgres
from embedded.home import Home
from gateway.models import Deployment, Endpoint, Model
from tests.support.model_server import ModelServer
from tests.support.processes import sign_in

from .stack import Stack

KEPT_BETWEEN_TESTS = "truncate chat_conversation, events_stream, gateway_usage, event cascade"


@pytest.fixture(scope="session")
def any_model():
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def dump(django_db_setup, django_db_blocker, any_model, tmp_path_factory):
    """The migrated database with what all tests here need, with a session and a token of alice."""
    path = tmp_path_factory.mktemp("chaos") / "parley.sql"
    with django_db_blocker.unblock():
        keys = _make_rows(any_model.url)
        address = Home.from_environment().database_url(connection.settings_dict["NAME"])
        programs = postgres.binaries()
        roles = [programs / "pg_dumpall", "--roles-only", "-f", path.with_name("roles.sql")]
        subprocess.run([*roles, "-d", address], check=True)
        subprocess.run([programs / "pg_dump", "-f", path, address], check=True)
        for table in (Agent, Deployment, Endpoint, Model, Session, User):
            table.objects.all().delete()
        connection.close()
    return path, *keys


def _make_rows(model_url):
    alice = User.objects.create_user("alice@example.org", "a password of hers", name="Alice")
    endpoint = Endpoint.objects.create(name="scripted", base_url=model_url, max_concurrency=1000)
    model = Model.objects.create(name="scripted", is_default=True)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="scripted")
    Agent.objects.create(owner=alice, name="Plain", slug="plain", is_builtin=True, max_passages=0)
    return sign_in(alice), tokens.issue(alice, "chaos", ("read", "chat"))[1]


@pytest.fixture(scope="session")
def any_stack(dump):
    made = Stack(*dump)
    yield made
    made.end()


@pytest.fixture
def model(any_model):
    any_model.reset()
    return any_model


@pytest.fixture
def stack(any_stack, model):
    """The same servers for all tests, without the turns of the test before."""
    with any_stack.connect() as connection:
        connection.execute(KEPT_BETWEEN_TESTS)
    return any_stack
