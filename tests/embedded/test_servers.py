"""Postgres and Redis as children: what a crash leaves behind must not stop the next start."""

import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest
import redis as redis_client

from embedded import postgres, redis
from embedded.database import ensure_database
from embedded.errors import StartupError
from embedded.home import REPOSITORY, Home
from embedded.throwaway import throwaway_servers

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of its own with a cluster in it; each test starts the servers it needs."""
    home = Home(tmp_path_factory.mktemp("state"))
    home.prepare()
    postgres.prepare(home, sync=False)
    return home


def test_a_killed_postgres_starts_again_with_what_was_committed(home):
    server = postgres.start(home)
    try:
        ensure_database(home.database_url())
        with psycopg.connect(home.database_url()) as connection:
            connection.execute("create table kept (word text)")
            connection.execute("insert into kept values ('yes')")
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        assert (home.postgres / "postmaster.pid").exists()
        postgres.stop_leftover(home)
        server = postgres.start(home)
        with psycopg.connect(home.database_url()) as connection:
            assert connection.execute("select word from kept").fetchall() == [("yes",)]
    finally:
        postgres.stop(server)
    assert not (home.postgres / "postmaster.pid").exists()


def test_a_pid_file_that_names_a_stranger_is_dropped(home):
    (home.postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{home.postgres}\n")
    postgres.stop_leftover(home)

    assert not (home.postgres / "postmaster.pid").exists()
    assert psutil.pid_exists(os.getpid())


def test_a_second_postgres_on_the_folder_is_refused_in_words(home):
    server = postgres.start(home)
    try:
        with pytest.raises(StartupError, match="Another Postgres still uses"):
            postgres.start(home)
        assert server.poll() is None
    finally:
        postgres.stop(server)


def test_servers_listen_on_private_sockets_only(home):
    server = postgres.start(home)
    try:
        ensure_database(home.database_url())
        with psycopg.connect(home.database_url()) as connection:
            shown = connection.execute(
                "select current_setting('listen_addresses'), current_setting('fsync'), "
                "(select extversion from pg_extension where extname = 'vector')"
            ).fetchone()
        assert shown is not None
        assert shown[:2] == ("", "on")
        assert shown[2] >= "0.8"
        assert home.run.stat().st_mode & 0o077 == 0
    finally:
        postgres.stop(server)


def test_redis_keeps_what_was_queued_and_never_evicts(home):
    server = redis.start(home)
    with redis_client.Redis.from_url(home.redis_url()) as client:
        client.rpush("queue", "job")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    redis.stop(server)
    server = redis.start(home)
    try:
        with redis_client.Redis.from_url(home.redis_url()) as client:
            assert client.lrange("queue", 0, -1) == [b"job"]
    finally:
        redis.stop(server)


def test_servers_end_with_a_parent_that_was_killed(tmp_path):
    """The kernel tells the children; nothing of ours runs after kill -9."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from embedded.home import Home\n"
        "from embedded.throwaway import throwaway_servers\n"
        "with throwaway_servers(Home(Path(sys.argv[1]))):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "var")],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "platform")},
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    _gone, alive = psutil.wait_procs(servers_of(Home(tmp_path / "var")), timeout=10)
    assert alive == []


def test_throwaway_servers_leave_nothing():
    with throwaway_servers() as home:
        pids = [process.pid for process in servers_of(home)]
        assert len(pids) == 2

    assert not home.path.exists()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def servers_of(home: Home) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "name"])
        if process.info["name"] in {"postgres", "redis-server"}
        and str(home.path) in " ".join(process.info["cmdline"] or [])
    ]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("FATAL:  could not write: No space left on device", "is full"),
        ("FATAL:  database files are incompatible with server", "another Postgres version"),
        ('FATAL:  lock file "postmaster.pid" already exists', "still uses"),
        ("could not access directory: Permission denied", "may not read"),
        ("FATAL:  something new\nHINT: look", "something new"),
        ("", "no output"),
    ],
)
def test_what_postgres_says_becomes_one_line(tmp_path, output, said):
    line = postgres.explain(output, Home(tmp_path))

    assert said in line
    assert "\n" not in line
