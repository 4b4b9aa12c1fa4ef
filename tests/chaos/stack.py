"""Parley on servers of its own that may be killed: Postgres, Redis, any number of its processes."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

import psycopg

from embedded import postgres, redis
from embedded.home import Home
from tests.support.processes import Processes

# What was committed survives a killed Postgres, as in production; what only a power cut needs
# (fsync) is left out, for speed.
QUICK_POSTGRES = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
PATIENCE = 90  # seconds until something that was started, or comes back, has to answer


class Stack:
    """Processes are asked for by number and reused; every server has a kill and a return.

    `session` is the cookie, `token` the API token of the person who asks.
    """

    def __init__(self, dump, session, token):
        self.session = session
        self.token = token
        self.home = Home(Path(tempfile.mkdtemp(prefix="parley-chaos-")))
        self.home.prepare()
        postgres.prepare(self.home, sync=False)
        self.postgres = postgres.start(self.home, QUICK_POSTGRES)
        self.redis = redis.start(self.home, {"appendonly": "no"})
        self.log = (self.home.path / "processes.log").open("ab")
        self._load(dump)
        self.processes = Processes(
            self.log,
            DATABASE_URL=self.home.database_url(),
            REDIS_URL=self.home.redis_url(),
            PARLEY_LIMITS_TURNS="100000/m/person",  # one person asks everything here
        )
        self.ports = {}  # of the web processes that readers may choose from
        self.kinds = defaultdict(list)

    def _load(self, dump):
        with psycopg.connect(self.home.database_url("postgres"), autocommit=True) as connection:
            connection.execute("create database parley")
        roles = dump.with_name("roles.sql")  # the first one, postgres, is there already
        for script, strictness in ((roles, "ON_ERROR_STOP=0"), (dump, "ON_ERROR_STOP=1")):
            psql = [postgres.binaries() / "psql", "-qX", "-v", strictness, "-f", script]
            command = [*psql, self.home.database_url()]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    # -- Parley's processes ---------------------------------------------------------------

    def webs(self, count):
        """So many live web processes; those that are there are taken first."""
        for process in [process for process in self.ports if process.poll() is not None]:
            del self.ports[process]
        while len(self.ports) < count:
            process, port = self.processes.serve()
            self.ports[process] = port
        return list(self.ports)[:count]

    def addresses(self):
        """What readers choose from."""
        return list(self.ports.values())

    def runners(self, count, lease=3):
        return self._live("runner", count, "runner", "--lease", str(lease))

    def workers(self, count):
        return self._live("worker", count, "worker")

    def clocks(self, count):
        return self._live("clock", count, "clock")

    def _live(self, kind, count, *command):
        """Exactly so many, each with the same arguments."""
        there = [process for process in self.kinds[kind] if process.poll() is None]
        live = [process for process in there if process.args[2:] == list(command)][:count]
        for process in there:
            if process not in live:
                self.kill(process)
        while len(live) < count:
            live.append(self.processes.start(*command))
        self.kinds[kind] = live[:count]
        return live[:count]

    def kill(self, process, number=signal.SIGKILL):
        """End a process and wait for it; readers choose another one from now on."""
        self.ports.pop(process, None)
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        return process.wait(60)

    # -- servers ------------------------------------------------------------------------

    def kill_postgres(self, number=signal.SIGKILL):
        self.postgres.send_signal(number)
        self.postgres.wait()

    def return_postgres(self, **settings):
        postgres.stop_leftover(self.home)  # backends notice the death of the first process late
        self.postgres = postgres.start(self.home, QUICK_POSTGRES | settings)

    def kill_redis(self):
        self.redis.kill()
        self.redis.wait()

    def return_redis(self):
        self.redis = redis.start(self.home, {"appendonly": "no"})

    # -- what can be seen -----------------------------------------------------------------

    def rows(self, query, *parameters):
        """Straight from Postgres, past everything under test."""
        with self.connect() as connection:
            return connection.execute(query, parameters or None).fetchall()

    def connect(self):
        return psycopg.connect(self.home.database_url(), autocommit=True)

    def get(self, path, port=None, *, body=None, timeout=30, **headers):
        """Status, headers and text; with a `body` it is posted. Asks a web process with a token."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or next(iter(self.ports.values()))}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, refused.read().decode()

    def until(self, condition, seconds=PATIENCE):
        """What `condition()` returns once that is true; a server that is away counts as false."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, psycopg.Error):
                if found := condition():
                    return found
            time.sleep(0.05)
        raise AssertionError(f"this did not become true:\n{self.said()[-4000:]}")

    def is_ready(self, port=None):
        return self.get("/ready", port)[0] == 200

    def said(self):
        """What all processes have logged; pytest shows it when a test fails."""
        return Path(self.log.name).read_text(errors="replace")

    def tracebacks(self):
        """The last lines of the tracebacks that were logged."""
        return re.findall(r"^Traceback[\s\S]*?^(\w[^\n]*)$", self.said(), re.MULTILINE)

    def end(self):
        for process in self.processes.started:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
        self.processes.end()
        for server in (self.redis, self.postgres):
            server.kill()
            server.wait()
        postgres.stop_leftover(self.home)
        self.log.close()
        for folder in {self.home.path, self.home.run}:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def frozen(process):
    """The process is there and does nothing, like one that swaps or whose disk hangs."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
