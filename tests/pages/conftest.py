import pytest
from django.test import Client

from accounts.models import Grant
from accounts.services import share
from tests.knowledge.conftest import (  # noqa: F401 - fixtures
    _files_apart,
    _ready_to_index,
    add_text,
    handbook,
)


@pytest.fixture
def client_of():
    """A signed-in browser of a person."""

    def make(user) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def shared(handbook, alice, bob):  # noqa: F811
    """Alice's handbook, which bob may read."""
    share(handbook, bob, Grant.Role.READER, by=alice)
    return handbook
