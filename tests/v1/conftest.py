"""A real web process, a scripted model behind it, and the official client in front of it."""

import openai
import pytest

from accounts import tokens
from agents.models import Agent
from gateway.controls import Capability
from gateway.models import Deployment, Endpoint, Model
from knowledge.extraction.process import reading_process
from tests.support.model_server import ModelServer
from tests.support.processes import Processes

MODEL = "scripted"


@pytest.fixture(scope="session", autouse=True)
def _close_reader():
    yield
    reading_process.close()


@pytest.fixture(scope="session")
def upstream():
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def web_port(django_db_setup):
    """One web process for all tests here; it holds no work, so they cannot meet there."""
    unlimited = {"PARLEY_LIMITS_TURNS": "off", "PARLEY_LIMITS_SEARCHES": "off"}
    found = Processes(LOG_LEVEL="ERROR", **unlimited)
    yield found.serve()[1]
    found.end()


@pytest.fixture
def served(transactional_db, upstream, web_port):
    """The scripted server, connected as the model `scripted`, and an agent `plain` upon it."""
    upstream.reset()
    endpoint = Endpoint.objects.create(name="loopback", base_url=upstream.url)
    model = Model.objects.create(name=MODEL, is_default=True)
    able = dict.fromkeys(Capability, True)
    Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="tiny", capabilities=able
    )
    return upstream


@pytest.fixture
def key(alice):
    return tokens.issue(alice, "laptop")[1]


@pytest.fixture
def client(served, web_port, key):
    """The official client, which must not try again by itself here."""
    base_url = f"http://127.0.0.1:{web_port}/v1"
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60) as made:
        yield made


@pytest.fixture
def plain(served, alice):
    """An agent of Alice's."""
    return Agent.objects.create(owner=alice, name="Plain", slug="plain", max_passages=0)
