import pytest

from agents.services import ensure_builtin_agents
from tests.support.model_server import model_server

__all__ = ["model_server"]


@pytest.fixture
def builtin(admin):
    return ensure_builtin_agents(admin)
