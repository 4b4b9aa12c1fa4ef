import pytest

from events import leases
from security.ids import new_id


@pytest.fixture
def stream(db):
    return leases.open_stream(new_id(), "turn")
