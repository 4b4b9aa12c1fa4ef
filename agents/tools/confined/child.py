"""The process: one request comes in, one answer goes out, and in between there are no rights.

Memory, processor and wall time are limited; the kernel forbids every file but those named, the
network, programs and processes (`knowledge.extraction.confinement`, or `strict`). Run as
`python -m agents.tools.confined.child`.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from agents.tools.confined.strict import STRICT, isolate
from knowledge.extraction.confinement import confine

# Loaded before the rights are given up.
WORK = {
    "git": "agents.tools.confined.git",
    "python": "agents.tools.confined.python",
    "tables": "agents.tools.confined.tables",
}
Work = Callable[[dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """The request cannot be answered; the text says why, for models."""


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    work: Work = import_module(WORK[request["kind"]]).work
    for name in request["modules"]:
        import_module(name)
    answers = _only_answer()
    _limit(**request["limits"])
    held = isolate() if STRICT in request["needs"] else confine(*map(Path, request["readable"]))
    try:
        is_held = held.issuperset(request["needs"])
        answer = (
            work(request["asked"]) if is_held else {"refused": "This machine cannot isolate it."}
        )
    except MemoryError:
        answer = {"refused": "It needs more memory than is allowed. Ask for less."}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
        answer = _failure(error)
    answers.write(json.dumps(answer).encode())
    answers.flush()
    os._exit(0)


def _only_answer() -> Any:
    """Where the answer goes; what the work prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)
    return answers


def _limit(*, data: int, address_space: int, seconds: int, wall: int) -> None:
    with suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text("1000")
    signal.alarm(wall)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    if address_space:
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))


def _failure(error: Exception) -> dict[str, Any]:
    # By name: run as a program, this module is loaded twice.
    if type(error).__name__ == "Refused":
        return {"refused": str(error)}
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    return {"failed": type(error).__name__}


if __name__ == "__main__":
    main()
