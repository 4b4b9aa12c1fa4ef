"""The official client in front of a real web process, with a scripted model behind it."""

import openai
import pytest

from agents.models import Agent
from gateway.controls import Capability
from tests.support import served as support
from tests.support.served import MODEL, close_reader, key, upstream

__all__ = ["MODEL", "close_reader", "key", "upstream"]


@pytest.fixture(scope="session")
def web_port(django_db_setup):
    yield from support.web(PARLEY_LIMITS_TURNS="off", PARLEY_LIMITS_SEARCHES="off")


@pytest.fixture
def served(transactional_db, upstream, web_port):
    """The scripted server, connected as the model `scripted`, which can do everything."""
    return support.connected(upstream, capabilities=dict.fromkeys(Capability, True))


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
