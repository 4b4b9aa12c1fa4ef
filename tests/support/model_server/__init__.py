"""A scripted OpenAI-compatible server on loopback, so that tests speak to a real socket.

    server.queue(Script(text="Hello"), Script(status=429, headers={"Retry-After": "7"}))

Each chat request takes the next queued script (or `server.default`); embedding requests take
from `server.queue_embeddings(...)` and otherwise get vectors that depend on the text alone.
It runs in a thread of its own, so synchronous and asynchronous tests use it alike. Started as
a program (`python -m tests.support.model_server --port 9100`) it serves the default script.
"""

from collections.abc import Iterator

import pytest

from tests.support.model_server.completions import text_vector
from tests.support.model_server.scripts import Script, calling
from tests.support.model_server.server import ModelServer

__all__ = ["ModelServer", "Script", "calling", "model_server", "text_vector"]


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A fresh scripted server for one test."""
    with ModelServer() as server:
        yield server
