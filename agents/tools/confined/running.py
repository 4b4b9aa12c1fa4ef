"""Starts a confined process for one piece of work, and ends it when its time is over."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from agents.tools.types import ToolRefused

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 2  # pieces of such work in one of our processes
PATIENCE = 3  # times its seconds of processor, on a machine that does other things too
STARTING = 20  # seconds that it may need to begin
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ")
MOST_ANSWER = 4 * 1024 * 1024
MEGABYTE = 1024 * 1024
_threads = ThreadPoolExecutor(AT_ONCE, "apart")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a process: seconds of a processor, and megabytes of its own memory; with `mapped`, of all
    that it maps too. `needs`: what the kernel must enforce, or nothing is done."""

    seconds: int = 15
    memory: int = 512
    mapped: int = 0
    needs: frozenset[str] = frozenset()


async def run_confined(
    kind: str,
    asked: Mapping[str, Any],
    readable: Sequence[Path],
    bounds: Bounds,
    *,
    modules: Sequence[str] = (),
) -> dict[str, Any]:
    """The answer of the work; raises ToolRefused with what models can put right. `modules` are
    loaded while the process may still read whatever they want."""
    running = _Running(may_tell=not bounds.needs)
    request = {
        "kind": kind,
        "asked": dict(asked),
        "readable": [str(path) for path in readable],
        "modules": list(modules),
        "needs": sorted(bounds.needs),
        "limits": {
            "data": bounds.memory * MEGABYTE,
            "address_space": bounds.mapped * MEGABYTE,
            "seconds": bounds.seconds,
            "wall": bounds.seconds * PATIENCE,
        },
    }
    try:
        answer = await apart(running.ask, request, bounds.seconds * PATIENCE + STARTING)
    finally:
        running.end()
    return _read(kind, answer)


async def apart(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """In one of a few threads for what waits for other processes: nothing else waits for those."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, partial(work, *args, **kwargs))


def _read(kind: str, answer: bytes | None) -> dict[str, Any]:
    try:
        found: Any = json.loads(answer or b"")
    except (ValueError, RecursionError):
        found = None  # what was taken over may have written it
    if not isinstance(found, dict):
        raise ToolRefused("It was ended: it took too long or too much memory. Ask for less.")
    if "refused" in found:
        raise ToolRefused(str(found["refused"]))
    if "failed" in found:
        log.warning("confined work %s failed: %.200r", kind, found["failed"])
        raise ToolRefused(f"That could not be done ({found['failed']}).")
    return found


def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> bytes | None:
    """What it answers, if it ends as it should; a process that was taken over may write for ever,
    and is read no further than an answer is long."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request)
        process.stdin.close()
        answer = process.stdout.read(MOST_ANSWER + 1)
    except (OSError, ValueError):
        return None  # it ended, or was ended, meanwhile
    is_whole = 0 < len(answer) <= MOST_ANSWER and process.wait() == 0
    return answer if is_whole else None


class _Running:
    """One process; `end` may come at any time, from another thread."""

    def __init__(self, *, may_tell: bool) -> None:
        self._may_tell = may_tell  # into our log, what goes wrong in it
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_over = False

    def ask(self, request: Mapping[str, Any], seconds: float) -> bytes | None:
        """None where the process was ended, by us or by the kernel."""
        process = self._start()
        if process is None:
            return None
        ending = threading.Timer(seconds, self.end)
        ending.start()
        try:
            return _exchange(process, json.dumps(request).encode())
        finally:
            ending.cancel()
            self.end()

    def _start(self) -> subprocess.Popen[bytes] | None:
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment["OPENBLAS_NUM_THREADS"] = "1"  # it may start no threads
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
        with self._lock:
            if self._is_over:
                return None
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "agents.tools.confined.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if self._may_tell else subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
            return self._process

    def end(self) -> None:
        with self._lock:
            self._is_over = True
            process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError, ValueError):
                        pipe.close()
