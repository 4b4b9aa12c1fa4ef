"""What the tests of `/v1` and of `/mcp` have in common: their conftest imports the fixtures."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts import tokens
from gateway.models import Deployment, Endpoint, Model
from knowledge.extraction.process import reading_process
from tests.support.model_server import ModelServer
from tests.support.processes import Processes

MODEL = "scripted"


@pytest.fixture(scope="session", autouse=True)
def close_reader() -> Iterator[None]:
    yield
    reading_process.close()


@pytest.fixture(scope="session")
def upstream() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def key(alice: Any) -> str:
    """A token of Alice's."""
    return tokens.issue(alice, "desk")[1]


def web(**limits: str) -> Iterator[int]:
    """The port of a web process for all tests of a session; it holds no work, so they cannot meet
    there."""
    found = Processes(LOG_LEVEL="ERROR", **limits)
    yield found.serve()[1]
    found.end()


def connected(upstream: ModelServer, **deployment: Any) -> ModelServer:
    """The scripted server as it is at first, connected as the model that everybody uses."""
    upstream.reset()
    endpoint = Endpoint.objects.create(name="loopback", base_url=upstream.url)
    model = Model.objects.create(name=MODEL, is_default=True)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="tiny", **deployment)
    return upstream
