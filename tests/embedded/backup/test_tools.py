from pathlib import Path

import pytest

from embedded.backup import tools
from embedded.backup.errors import BackupError
from embedded.backup.tools import Tools, connection_environment, database_name, find_tools

BUNDLED = [Tools(16, True, Path("wheel16")), Tools(18, True, Path("wheel18"))]


def test_the_wheel_brings_programs_for_every_server_we_support():
    for server in (16, 17, 18):
        found = find_tools(server)
        assert found.major >= server
        assert (found.folder / "pg_restore").exists()


@pytest.mark.parametrize(
    ("server", "at_least", "expected"), [(16, 0, 16), (17, 0, 18), (18, 0, 18), (16, 18, 18)]
)
def test_the_oldest_programs_that_will_do_are_taken(monkeypatch, server, at_least, expected):
    monkeypatch.setattr(tools, "_installed", lambda: tuple(BUNDLED))
    assert find_tools(server, at_least=at_least).major == expected


def test_a_newer_server_needs_newer_programs_and_the_error_says_which(monkeypatch):
    monkeypatch.setattr(tools, "_installed", lambda: tuple(BUNDLED))
    with pytest.raises(BackupError, match="postgresql-client-19"):
        find_tools(19)


def test_for_somebodys_own_server_the_machines_programs_come_first(monkeypatch):
    own = Tools(18, False, Path("machine"))
    monkeypatch.setattr(tools, "_installed", lambda: (*BUNDLED, own))
    assert find_tools(18, is_embedded=False) == own
    assert find_tools(18, is_embedded=True) == BUNDLED[1]


def test_s19_the_password_goes_through_the_environment():
    url = "postgresql://someone:pass%2Fword@db.example.org:6432/parley?sslmode=require"
    assert connection_environment(url) == {
        "PGUSER": "someone", "PGPASSWORD": "pass/word", "PGHOST": "db.example.org",
        "PGPORT": "6432", "PGDATABASE": "parley", "PGSSLMODE": "require",
    }  # fmt: skip
    assert database_name(url) == "parley"


def test_a_server_that_cannot_be_reached_is_one_line_without_the_password():
    found = find_tools(18)
    with pytest.raises(BackupError, match="pg_dump failed") as caught:
        list(found.dump("postgresql://x:hidden@127.0.0.1:1/parley", "00000000-0-1"))
    assert "hidden" not in str(caught.value)
