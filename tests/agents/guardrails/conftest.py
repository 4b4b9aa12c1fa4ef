import pytest

from agents.guardrails.ruleset import forget_installed


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Rules that one test made are not those of the next."""
    forget_installed()
    yield
    forget_installed()
