"""`manage.py up`: everything Parley needs on this machine, in the foreground.

Order: lock the state folder, start Postgres and Redis (unless their addresses are given), prepare
(migrations, embedding model, pages, first administrator, samples) in a child that ends, then keep
web, runner, worker and clock, and the servers below them, running. This process never imports
Django, so it stays small.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import environ
import psutil

from embedded.children import Child, describe_exit
from embedded.console import BOLD, DIM, is_terminal, paint, say, say_problem, step
from embedded.errors import StartupError
from embedded.home import REPOSITORY, Home
from embedded.leftovers import end_leftovers, remember
from embedded.servers import Server, watched_postgres, watched_redis
from embedded.supervisor import Supervisor
from embedded.tether import PARENT_VARIABLE, follow, spawn

DESCRIPTION = (
    "Start Parley: Postgres and Redis (unless DATABASE_URL and REDIS_URL point elsewhere), then "
    "web, runner, worker and clock. Ctrl-C stops everything; the data stays in PARLEY_HOME (var/)."
)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """SIGINT or SIGTERM while still starting."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default=os.environ.get("HOST") or "127.0.0.1",
        help="address to listen on (HOST, default 127.0.0.1; 0.0.0.0 for the whole network)",
    )  # fmt: skip
    parser.add_argument(
        "--port", default=os.environ.get("PORT") or "8000",
        help="port to listen on (PORT, default 8000)",
    )  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run until stopped; the exit status: 0 after a stop, 1 when it could not start."""
    environ.Env.read_env(REPOSITORY / ".env")
    parser = argparse.ArgumentParser(prog="manage.py up", description=DESCRIPTION)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return up(options.host, options.port)


def up(host: str, port: str) -> int:
    for number in STOP_SIGNALS:
        signal.signal(number, _stop_start)
    if "MAKELEVEL" in os.environ:  # a `make up` that is killed takes us with it
        follow(signal.SIGTERM)
    try:
        with ExitStack() as held, contextlib.suppress(Stopped):
            _run(Home.from_environment(), host, port_number(port), held)
    except StartupError as problem:
        if str(problem):
            say_problem(str(problem))
        return 1
    say("Stopped.")  # only now are Postgres and Redis gone, too
    return 0


def _run(home: Home, host: str, port: int, held: ExitStack) -> None:
    started = time.monotonic()
    say(f"\n  {paint('Parley', BOLD)} {paint(str(home.path), DIM)}\n")
    home.prepare()
    held.enter_context(home.lock())
    end_leftovers(home)
    check_port(host, port)
    os.environ |= _environment(home, host)
    servers = held.enter_context(_servers(home))
    prepare()
    children = [
        Child("web", ["serve", "--host", host, "--port", str(port)]),
        Child("runner", ["runner"]),
        Child("worker", ["worker"]),
        Child("clock", ["clock"]),
    ]
    supervisor = Supervisor(children, (host, port), servers)
    for number in STOP_SIGNALS:
        signal.signal(number, supervisor.request_stop)

    def announce() -> None:
        took = paint(f"  {time.monotonic() - started:.1f} s", DIM) if is_terminal() else ""
        say(f"\n  {paint(f'Parley is ready at {public_address(host, port)}', BOLD)}{took}\n")

    supervisor.run(announce, lambda: remember(home, supervisor.pids()))


@contextmanager
def _servers(home: Home) -> Iterator[list[Server]]:
    """Postgres and Redis for as long as the block runs; each only where no address is given."""
    with ExitStack() as running:
        servers = []
        if not os.environ.get("DATABASE_URL"):
            with step("Postgres 18") as current:
                current.detail = "" if (home.postgres / "PG_VERSION").exists() else "new database"
                servers.append(watched_postgres(home))
                running.callback(servers[-1].end)
        if not os.environ.get("REDIS_URL"):
            with step("Redis"):
                servers.append(watched_redis(home))
                running.callback(servers[-1].end)
        yield servers


def prepare() -> None:
    """Run `manage.py prepare` to its end; when it fails it has said why, in one line."""
    process = spawn(
        [sys.executable, str(REPOSITORY / "manage.py"), "prepare"],
        signal.SIGTERM,
        env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
    )
    try:
        status = process.wait()
    except Stopped:
        process.terminate()
        process.wait()
        raise
    if status < 0:
        raise StartupError(f"{describe_exit('The preparation', status)}. Start again.")
    if status:
        raise StartupError


def check_port(host: str, port: int) -> None:
    """Raises `StartupError` when nothing can listen there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError as problem:
        raise StartupError(
            f"Port {port} needs the rights of root. Choose one above 1023: `make up PORT=8000`."
        ) from problem
    except OSError as problem:
        raise StartupError(
            f"Cannot listen on {host}:{port}: {problem.strerror}. Stop the program that uses it, "
            f"or choose another port: `make up PORT={port + 1}`."
        ) from problem


def public_address(host: str, port: int) -> str:
    shown = {"::": "[::1]", "::1": "[::1]"}.get(host, host)
    return f"http://{shown}:{port}"


def own_names(host: str) -> list[str]:
    """The names a browser may reach us by: more than localhost only when we listen to more."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        families = (socket.AF_INET, socket.AF_INET6)
        for address in (a for card in psutil.net_if_addrs().values() for a in card):
            if address.family in families:
                plain = address.address.partition("%")[0]
                names.append(f"[{plain}]" if address.family == socket.AF_INET6 else plain)
        return sorted({*names, socket.gethostname(), f"{socket.gethostname()}.local"})
    return names if host in names else [*names, host]


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StartupError(f"PORT must be a number from 1 to 65535, not `{text}`.")
    return int(text)


def _environment(home: Home, host: str) -> dict[str, str]:
    """What all children share: how they log, where they count, and few memory arenas."""
    metrics = home.run / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    return {
        "PARLEY_HOME": str(home.path),
        "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS") or ",".join(own_names(host)),
        "PARLEY_LOG_FORMAT": "pretty" if is_terminal() else "json",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
    }


def _stop_start(_number: int, _frame: FrameType | None) -> None:
    """Stop a start: once, since the servers are then being stopped already."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped
