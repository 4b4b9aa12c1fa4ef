import psycopg
import pytest

from embedded.database import ensure_database
from embedded.errors import StartupError
from embedded.home import Home


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://someone:hidden@host/parley", "not a Postgres address"),
        ("postgresql://someone:hidden@127.0.0.1:1/parley", "cannot be reached"),
        ("postgresql://someone:hidden@nowhere.invalid/parley", "cannot be reached"),
    ],
)
def test_a_wrong_address_is_one_line_without_the_password(address, said):
    with pytest.raises(StartupError, match=said) as caught:
        ensure_database(address)

    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)


def test_a_missing_database_is_made_with_its_extension():
    address = Home.from_environment().database_url("made_by_a_test")
    ensure_database(address)
    ensure_database(address)

    with psycopg.connect(address) as connection:
        assert connection.execute("select '[1,2]'::vector(2)").fetchone() == ("[1,2]",)
        encoding = connection.execute("show server_encoding").fetchone()
    assert encoding == ("UTF8",)
