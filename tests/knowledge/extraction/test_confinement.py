"""What a parser could do if a file took it over. s34: no network, by the system and not by code."""

import json
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.extraction.process import ROOT

# A process that is confined to one file and then tries everything else.
ATTEMPTS = """
import json, os, signal, socket, sys, threading
from pathlib import Path
from knowledge.extraction.confinement import confine

own, secret = Path(sys.argv[1]), Path(sys.argv[2])
held = confine(own)

def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"

def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

attempts = {
    "read its file": own.read_bytes,
    "import": lambda: __import__("wave"),
    "read another": secret.read_bytes,
    "list": lambda: os.listdir(secret.parent),
    "write its file": lambda: own.open("r+b"),
    "write": lambda: secret.with_name("new").write_text("x"),
    "remove": secret.unlink,
    "rename": lambda: secret.rename(secret.with_name("moved")),
    "truncate": lambda: os.truncate(own, 0),
    "link": lambda: secret.with_name("link").symlink_to(secret),
    "make a folder": lambda: secret.with_name("folder").mkdir(),
    "tcp": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), 1),
    "udp": udp,
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "fork": lambda: os._exit(0) if os.fork() == 0 else None,
    "run": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "signal": lambda: os.kill(os.getppid(), 0),
    "signal a thread": lambda: signal.pthread_kill(threading.get_ident(), 0),
    "signal by pidfd": lambda: os.pidfd_open(os.getppid()),
    "open up": lambda: secret.chmod(0o777),
    "give away": lambda: os.chown(secret, os.getuid(), os.getgid()),
}
results = {name: outcome(attempt) for name, attempt in attempts.items()}
print(json.dumps({"held": sorted(held), "results": results}))
"""
MAY = {"read its file", "import"}


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")
def test_s34_a_parser_reaches_nothing_but_its_file(tmp_path: Path) -> None:
    own, secret = tmp_path / "document", tmp_path / "keys" / "secrets.key"
    secret.parent.mkdir()
    own.write_bytes(b"words")
    secret.write_bytes(b"canary")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = subprocess.run(
            [sys.executable, "-c", ATTEMPTS, own, secret, str(listener.getsockname()[1])],
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
            capture_output=True,
            text=True,
            check=True,
        )
    answer = json.loads(done.stdout)
    if platform.machine() in {"x86_64", "aarch64"}:
        assert "calls" in answer["held"]
        calls = {
            *("tcp", "udp", "unix", "fork", "run", "spawn", "truncate", "open up", "give away"),
            *("signal", "signal a thread", "signal by pidfd"),
        }
        assert {answer["results"][name] for name in calls} == {"PermissionError"}
    if "files" not in answer["held"]:
        pytest.skip("this kernel has no Landlock: files are limited by size only")
    done_names = {name for name, result in answer["results"].items() if result == "done"}
    assert done_names == MAY
    assert own.read_bytes() == b"words"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["document", "keys", "secrets.key"]


def test_a_parser_that_was_taken_over_cannot_answer_for_the_next_file() -> None:
    """The pipes of the reading process are not its child's."""
    program = (
        "import os; from knowledge.extraction.server import leave_server; leave_server();"
        "os.write(1, b'forged'); assert os.read(0, 9) == b''"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
        input=b"the next request",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b""
