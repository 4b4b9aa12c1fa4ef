import pytest

from tests.support.model_server import model_server
from tests.support.processes import Processes

__all__ = ["model_server"]
ORIGIN = "https://parley.example.org"


@pytest.fixture(scope="session")
def secure_port(django_db_setup, django_db_blocker):
    """A web process as behind a proxy with TLS; with DEBUG, for pages without packed files."""
    with django_db_blocker.unblock():
        found = Processes(
            PARLEY_URL=ORIGIN, PARLEY_BEHIND_PROXY="true", PARLEY_METRICS_TOKEN="scrape",
            PARLEY_LIMITS_REPORTS="3/h/address", DEBUG="true",
        )  # fmt: skip
        yield found.serve()[1]
        found.end()
