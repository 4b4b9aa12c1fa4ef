"""Programs of models: they compute, and whatever else they try is refused by the kernel."""

import asyncio
import json
import os
import platform
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from agents.tools.builtin import python
from agents.tools.confined.running import Bounds
from agents.tools.confined.strict import STRICT, can_isolate
from agents.tools.registry import TOOLS
from agents.tools.types import Effect, Taint, ToolCalling, ToolRefused
from agents.types import AgentSpec, AgentTask
from tests.agents.tools.conftest import Call

pytestmark = pytest.mark.skipif(not can_isolate(), reason="this machine cannot isolate a program")
ESCAPES = """
import os, sys, signal, time, json

def outcome(attempt):
    try:
        attempt()
    except BaseException as error:
        return type(error).__name__
    return "done"

import ctypes
libc = ctypes.CDLL(None, use_errno=True)

def call(*numbers):
    def made():
        if libc.syscall(*numbers) == -1:
            raise OSError(ctypes.get_errno(), "refused")
    return made

attempts = {
    "compute": lambda: sum(range(10)),
    "read a secret": lambda: open(SECRET).read(),
    "read itself": lambda: open("/proc/self/maps").read(),
    "write": lambda: open("/tmp/parley-escape", "w"),
    "list": lambda: os.listdir("/"),
    "look": lambda: os.stat("/etc/passwd"),
    "follow": lambda: os.readlink("/proc/self/exe"),
    "move": lambda: os.chdir("/"),
    "remove": lambda: os.remove(SECRET),
    "import": lambda: __import__("wave"),
    "ask for the machine": lambda: os.uname(),
    "fork": os.fork,
    "run": lambda: os.system("id"),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "pipe": os.pipe,
    "signal": lambda: os.kill(os.getppid(), 9),
    "signal itself": lambda: signal.raise_signal(signal.SIGTERM),
    "limits": lambda: __import__("resource").setrlimit(0, (-1, -1)),
}
if MACHINE == "x86_64":  # by their numbers, past everything of Python's
  attempts |= {
    "tcp": call(41, 2, 1, 0),
    "connect": call(42, 3, 0, 0),
    "shared memory": call(29, 0, 4096, 0o1666),
    "trace": call(101, 16, 1, 0, 0),
    "limits of others": call(302, 1, 0, 0, 0),
    "namespaces": call(272, 0x10000000),
    "keys": call(250, 0, 0),
    "perf": call(298, 0, 0, 0, 0, 0),
    "uring": call(425, 1, 0),
    "filter": call(157, 22, 0, 0, 0, 0),
    "the other numbers": call(0x40000000 + 41, 2, 1, 0),
  }
print(json.dumps({
    "results": {name: outcome(attempt) for name, attempt in attempts.items()},
    "environment": dict(os.environ),
}))
"""


def test_a_program_is_run(nobody, call: Call) -> None:
    code = "import numpy as np\nprint(np.arange(4).sum())\nimport datetime, re\n2 ** 10"
    found = call(nobody, "run_python", code=code)
    assert found.text == "6\n1024"
    assert found.taints == {Taint.UNTRUSTED}
    assert TOOLS["run_python"].effect is Effect.NONE
    failed = call(nobody, "run_python", code="print('so far')\n\n1 / 0")
    assert failed.text == "so far\nIt failed: ZeroDivisionError: division by zero (line 3)"
    assert "cut off" in call(nobody, "run_python", code="print('x' * 10**6)").text
    assert "printed nothing" in call(nobody, "run_python", code="x = 1").text
    with pytest.raises(ToolRefused, match="no program"):
        call(nobody, "run_python", code="def :")


def test_whatever_else_it_tries_is_refused(nobody, tmp_path: Path, call: Call) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    os.environ["PARLEY_CANARY"] = "canary"
    try:
        with socket.create_server(("127.0.0.1", 0)):
            given = f"SECRET, MACHINE = {str(secret)!r}, {platform.machine()!r}\n"
            code = given + ESCAPES
            answer = json.loads(call(nobody, "run_python", code=code).text)
    finally:
        del os.environ["PARLEY_CANARY"]
    done = {name for name, result in answer["results"].items() if result == "done"}
    assert done <= {"compute", "run"}  # `os.system` says by its value that it could not start
    assert answer["environment"] == {}
    assert secret.read_text() == "canary"
    assert not Path("/tmp/parley-escape").exists()


ENDLESS = {
    "endless": "while True: pass",
    "deaf": """import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True: pass""",
    "flood": """import os
while True:
    for n in range(3, 99):
        try: os.write(n, b"x" * 65536)
        except OSError: pass""",
    "forged": """import os
for n in range(3, 99):
    try: os.write(n, b'{"text": 1}')
    except OSError: pass
os._exit(1)""",
    "nonsense": """import os
for n in range(3, 99):
    try: os.write(n, b"[1]")
    except OSError: pass
os._exit(0)""",
    "deep": """import sys
def f(): f()
sys.setrecursionlimit(10**9)
f()""",
}


@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_program_that_does_not_end_is_ended(nobody, monkeypatch, call: Call, code: str) -> None:
    monkeypatch.setattr(
        python, "BOUNDS", Bounds(seconds=1, memory=512, mapped=1536, needs=frozenset({STRICT}))
    )
    began = time.monotonic()
    with pytest.raises(ToolRefused, match="was ended"):
        call(nobody, "run_python", code=code)
    assert time.monotonic() - began < 60


def test_who_goes_away_ends_it(nobody, call: Call) -> None:
    """A run that is stopped leaves no process behind."""
    calling = ToolCalling(AgentTask(AgentSpec(), nobody, "?"), "call-1")

    async def leave() -> None:
        running = asyncio.create_task(
            TOOLS["run_python"].run(calling, {"code": "while True: pass"})
        )
        await asyncio.to_thread(_wait_for, lambda: bool(_children()))
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(leave())
    _wait_for(lambda: not _children())


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _children() -> list[psutil.Process]:
    own = psutil.Process().children()
    return [one for one in own if "agents.tools.confined.child" in _words(one)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []  # it has just ended


def test_memory_is_bounded(nobody, call: Call) -> None:
    for code in (
        "x = bytearray(2 * 10**9)",
        "import numpy\nnumpy.ones(3 * 10**8)",
        "x = [0]\nwhile True: x = x + x",
    ):
        assert "MemoryError" in call(nobody, "run_python", code=code).text


def test_it_is_not_there_where_it_is_not_wanted(settings, monkeypatch) -> None:
    assert TOOLS["run_python"].is_there()
    settings.PARLEY_PYTHON = False
    assert not TOOLS["run_python"].is_there()
    settings.PARLEY_PYTHON = True
    monkeypatch.setattr("agents.tools.confined.strict.ACTIONS", Path("/nothing"))
    assert not TOOLS["run_python"].is_there()
