"""`manage.py up` from outside: a person starts it, kills parts of it, stops it, starts it again."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil
import psycopg
import pytest

from embedded.home import REPOSITORY, Home
from tests.support import prepared

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
START_SECONDS = 240
STOP_SECONDS = 40
STATE = ("DATABASE_URL", "REDIS_URL", "PARLEY_LOG_FORMAT", "MAKELEVEL", "PARLEY_HOME")


class Up:
    """One running `manage.py up`, with everything it has printed."""

    def __init__(self, home: Path, port: int, **environment: str) -> None:
        self.port = port
        self.lines: list[str] = []
        self._news = threading.Condition()
        clean = {name: value for name, value in os.environ.items() if name not in STATE}
        self.environment = clean | {"PARLEY_HOME": str(home)} | environment
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=REPOSITORY, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """The first line that has `pattern`, from the beginning of the output."""
        found = re.compile(pattern)
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                match = next((m for line in self.lines if (m := found.search(line))), None)
                if match:
                    return match
                left = deadline - time.monotonic()
                if left <= 0 or not (self._reader.is_alive() or self._news.wait(0.1)):
                    raise AssertionError(f"no {pattern!r} in:\n" + "\n".join(self.lines))
                self._news.wait(min(left, 1))

    def wait_until_ready(self) -> "Up":
        self.wait_for(rf"Parley is ready at http://127\.0\.0\.1:{self.port}")
        return self

    def get(self, path: str) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, name: str) -> psutil.Process:
        """The one child of this name; others may come and go meanwhile."""
        children = psutil.Process(self.process.pid).children()
        (found,) = (child for child in children if name_of(child) == name)
        return found

    def command(self, *arguments: str) -> str:
        """What another `manage.py` command prints on this installation."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip

    def api(self, token: str, method: str, path: str, **request: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"http://127.0.0.1:{self.port}/api/v1{path}"
        return httpx2.request(method, address, headers=headers, **request).raise_for_status().json()

    def wait_for_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.get("/ready")[0] != 200:
            assert time.monotonic() < deadline, self.get("/ready")
            time.sleep(0.1)

    def child(self, command: str) -> psutil.Process | None:
        for process in psutil.Process(self.process.pid).children():
            try:
                if command in process.cmdline():
                    return process
            except psutil.Error:
                continue
        return None

    def wait_for_child(self, command: str, other_than: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (found := self.child(command)) is None or found.pid == other_than:
            assert time.monotonic() < deadline, f"{command} did not come back"
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def output(self) -> str:
        self._reader.join(10)
        return "\n".join(self.lines)


def name_of(process: psutil.Process) -> str:
    """Empty for a process that has ended meanwhile."""
    try:
        return process.name()
    except psutil.Error:
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def started():
    """Starts `up`s and makes sure that none outlives the test."""
    running: list[Up] = []

    def start(home: Path, port: int = 0, **environment: str) -> Up:
        running.append(Up(home, port or free_port(), **environment))
        return running[-1]

    yield start
    for up in running:
        if up.process.poll() is None:
            family = up.family()
            up.process.kill()
            up.process.wait()
            psutil.wait_procs(family, timeout=STOP_SECONDS)
        up.output()


def all_gone(processes: list[psutil.Process], seconds: float = STOP_SECONDS) -> bool:
    _gone, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def count_users(home: Path) -> int:
    with psycopg.connect(Home(home).database_url()) as connection:
        row = connection.execute("select count(*) from accounts_user").fetchone()
    assert row is not None
    return row[0]


def test_the_whole_life_of_an_installation(started, tmp_path):
    """Ready; a killed child comes back; a second start is refused; `up` killed, started again,
    stopped: everything is kept and nothing is left. One test, since each start costs seconds."""
    home = tmp_path / "var"
    up = started(home).wait_until_ready()
    assert up.get("/health") == (200, {"status": "alive"})
    status, answer = up.get("/ready")
    assert (status, answer["status"]) == (200, "ready")
    assert len(up.wait_for(r"password\s+(\S+)")[1]) >= 20
    assert count_users(home) == 1
    assert {"postgres", "redis-server"} <= set(map(name_of, up.family()))

    clock = up.child("clock")
    assert clock is not None
    clock.kill()
    up.wait_for(r"clock was ended by SIGKILL; it starts again")
    up.wait_for_child("clock", other_than=clock.pid)

    second = started(home)
    assert second.process.wait(20) == 1
    assert "already runs" in second.output()

    family = up.family()
    up.process.kill()
    up.process.wait()
    again = started(home, port=up.port).wait_until_ready()
    assert all_gone(family, 30)
    assert count_users(home) == 1

    family = again.family()
    assert again.stop(signal.SIGTERM) == 0
    assert all_gone(family, 5)
    assert "password" not in again.output()
    assert "Traceback" not in up.output() + again.output()


def test_killed_servers_come_back_and_everybody_goes_on(started, tmp_path):
    """kill -9 of Redis and of Postgres: ready again, questions answered, documents indexed."""
    home = tmp_path / "var"
    prepared.furnish(Home(home), is_product=True)
    up = started(home).wait_until_ready()
    token = up.command("token", "admin@localhost.localdomain").strip().splitlines()[-1]
    for name in ("redis-server", "postgres"):
        up.named(name).kill()
    up.wait_for(r"Redis was ended by SIGKILL; it starts again")
    up.wait_for(r"Postgres was ended by SIGKILL; it starts again")
    up.wait_for(r"Redis +runs again")
    up.wait_for(r"Postgres +runs again")
    up.wait_for_ready()

    path = up.api(token, "POST", "/collections", json={"name": "After"})["id"]
    file = {"file": ("after.md", "# After\n\nThe lighthouse keeper is called Ada.")}
    document = up.api(token, "POST", f"/collections/{path}/documents", files=file)["id"]
    deadline = time.monotonic() + START_SECONDS
    while up.api(token, "GET", f"/documents/{document}")["status"] != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "Ada" in up.command("ask", "What is the lighthouse keeper called?")
    assert up.stop() == 0
    assert "Traceback" not in up.output()


@pytest.mark.chaos  # a minute; servers that do come back are tested above
def test_a_server_that_does_not_come_back_ends_everything_in_one_line(started, tmp_path):
    home = tmp_path / "var"
    up = started(home).wait_until_ready()
    server = up.named("redis-server")
    family = up.family()
    (Home(home).redis / "appendonly.aof").write_text("nothing that Redis wrote\n" * 99)
    server.kill()
    assert up.process.wait(START_SECONDS) == 1
    assert all_gone(family, 5)
    end = up.output().splitlines()[-1]
    assert "Redis ended with status 1, again and again." in end
    assert "append only file" in end


def test_a_port_in_use_is_one_line(started, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = started(tmp_path / "var", port)
        assert up.process.wait(60) == 1
    said = [line for line in up.output().splitlines() if line.strip()][1:]
    assert len(said) == 1
    assert f"127.0.0.1:{port}" in said[0]
    assert f"make up PORT={port + 1}" in said[0]


@pytest.mark.parametrize(
    ("variable", "address", "said"),
    [
        ("DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/parley", "Postgres cannot be reached"),
        ("DATABASE_URL", "mysql://u:hidden@host/parley", "DATABASE_URL is not a Postgres address"),
        ("PARLEY_SIGNUP", "perhaps", "PARLEY_SIGNUP must be"),
    ],
)
def test_a_wrong_setting_is_one_line(started, tmp_path, variable, address, said):
    up = started(tmp_path / "var", **{variable: address})
    assert up.process.wait(60) == 1
    output = up.output()
    assert said in output
    assert "Traceback" not in output
    assert "hidden" not in output


def test_a_missing_package_is_one_line(tmp_path):
    """Without site-packages nothing is installed, as after a half-finished installation."""
    up = subprocess.run(
        [sys.executable, "-S", "manage.py", "up"],
        cwd=REPOSITORY, env={"PATH": os.environ["PATH"], "PARLEY_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert up.returncode == 1
    assert up.stderr.strip().splitlines() == [up.stderr.strip()]
    assert "`make up` installs" in up.stderr
