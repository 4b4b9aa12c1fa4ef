import os
from pathlib import Path

import pytest

from embedded.errors import StartupError
from embedded.home import SOCKET_PATH_LIMIT, Home


def test_addresses_follow_from_the_path():
    home = Home(Path("/srv/with space"))

    assert home.database_url() == Home(Path("/srv/with space")).database_url()
    assert "with%20space/run" in home.database_url()
    assert home.redis_url().startswith("unix:///")


def test_a_long_path_gets_a_short_socket_folder_that_is_always_the_same(tmp_path):
    home = Home(tmp_path / ("x" * 120))

    assert len(str(home.run)) < SOCKET_PATH_LIMIT
    assert home.run == Home(tmp_path / ("x" * 120)).run
    assert home.run != Home(tmp_path / ("y" * 120)).run


def test_preparing_twice_is_harmless(tmp_path):
    home = Home(tmp_path / "var")
    home.prepare()
    (home.files / "kept").write_text("x")
    home.prepare()

    assert (home.files / "kept").exists()
    assert home.keys.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(StartupError, match="Cannot write to /proc/parley") as caught:
        Home(Path("/proc/parley")).prepare()

    assert "PARLEY_HOME" in str(caught.value)


def test_a_full_disk_is_named(tmp_path):
    home = Home(tmp_path)
    free = home.free_megabytes()
    with pytest.raises(StartupError, match=f"Only .* MB are free at {tmp_path}"):
        home.prepare(smallest_free_mb=free + 10_000)


def test_the_lock_is_held_once_and_names_its_holder(tmp_path):
    home = Home(tmp_path)
    home.prepare()
    refused = pytest.raises(StartupError, match=rf"already runs .*process {os.getpid()}\)")
    with home.lock(), refused, home.lock():
        pass
    with home.lock():
        pass
