import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import StrictEnv, database


@pytest.fixture
def env(monkeypatch):
    """A reader, and the variable it is asked for."""

    def with_value(value):
        monkeypatch.setenv("PARLEY_TEST", value)
        return StrictEnv()

    return with_value


@pytest.mark.parametrize(
    ("value", "read"), [("true", True), ("On", True), ("0", False), ("no", False), ("", False)]
)
def test_true_and_false_are_read(env, value, read):
    assert env(value).bool("PARLEY_TEST", default=not read) is read


@pytest.mark.parametrize(
    ("value", "reader"),
    [
        ("perhaps", lambda env: env.bool("PARLEY_TEST")),
        ("ten", lambda env: env.int("PARLEY_TEST", default=10)),
        ("fast", lambda env: env.float("PARLEY_TEST", default=1.0)),
        ("parley.example.org", lambda env: env.origin("PARLEY_TEST")),
        ("https://parley.example.org/chat", lambda env: env.origin("PARLEY_TEST")),
        ("ftp://parley.example.org", lambda env: env.origin("PARLEY_TEST")),
        ("mysql://user:hidden@host/db", lambda env: env.postgres_url("PARLEY_TEST", default="")),
        ("postgresql://u:hidden@[::1/db", lambda env: env.postgres_url("PARLEY_TEST", default="")),
    ],
)
def test_a_malformed_value_stops_with_its_name(env, value, reader):
    with pytest.raises(ImproperlyConfigured, match="PARLEY_TEST") as caught:
        reader(env(value))

    assert "hidden" not in str(caught.value)


def test_defaults_hold_where_nothing_is_said():
    env = StrictEnv()

    assert env.int("PARLEY_NOT_SET", default=3) == 3
    assert env.bool("PARLEY_NOT_SET", default=True) is True
    assert env.postgres_url("PARLEY_NOT_SET", default="postgresql:///x") == "postgresql:///x"


def test_an_address_is_read_as_postgres_reads_it():
    config = database("postgresql://me:s%40cret@db.example:5433/parley?sslmode=require", 7)

    assert config["NAME"] == "parley"
    assert (config["HOST"], config["PORT"]) == ("db.example", "5433")
    assert (config["USER"], config["PASSWORD"]) == ("me", "s@cret")
    assert config["OPTIONS"]["sslmode"] == "require"
    assert config["OPTIONS"]["pool"]["max_size"] == 7


def test_a_socket_folder_keeps_its_capitals():
    assert database("postgresql://me@/parley?host=/Users/Me/run", 1)["HOST"] == "/Users/Me/run"


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("", ""),
        ("https://Parley.example.org/", "https://parley.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_an_origin(env, given, origin):
    assert env(given).origin("PARLEY_TEST") == origin
