"""The reading process: started once with every parser loaded, it forks a child for each file.

A child has limits on memory, processor and wall time, may read that file only and reach nobody
(`confinement`), and is gone after its file: whatever a malformed file does to it, the next one
starts clean. When memory runs out on the machine, the kernel ends the child first. Requests come
in and answers go out as one JSON object a line. Run as `python -m knowledge.extraction.server`.
"""

import json
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from knowledge.extraction import ocr
from knowledge.extraction.confinement import confine
from knowledge.extraction.dispatch import read_file
from knowledge.extraction.picture import read_picture, told
from knowledge.extraction.reasons import (
    CRASHED,
    DAMAGED,
    MISSING,
    TOO_LARGE_IN_MEMORY,
    TOO_SLOW,
    ExtractionFailed,
)

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 120
WALL_SECONDS = 240
# A reader nobody asks anything gives its memory back; the next file starts a new one.
IDLE_SECONDS = 60.0


def answer(request: dict[str, Any]) -> bytes:
    """Read one file in a child process; return the JSON to send back.

    What reading its pictures breaks is read again without them.
    """
    languages = request.get("ocr", "")
    ocr.turn_on(languages)
    result = _answer(request)
    if ocr.is_there(languages) and result in BROKEN:
        ocr.turn_on(ocr.OFF)
        result = _answer(request)
    return result


def _answer(request: dict[str, Any]) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        leave_server()
        _be_child(request, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and result:
        return result
    was_stopped = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGALRM, signal.SIGXCPU}
    return _failure(TOO_SLOW if was_stopped else CRASHED)


def leave_server() -> None:
    """Let go of the pipes of the server: through them a parser that was taken over could answer
    for the next file, and so put words into another person's document."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _be_child(request: dict[str, Any], writing: int) -> None:
    """Never returns: the process ends here whatever happens."""
    code = 1
    try:
        _limit(request.get("limits") or {})
        confine(Path(request["path"]))
        result = _read(Path(request["path"]), request["kind"])
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(result)
        code = 0
    finally:
        os._exit(code)


def _limit(limits: dict[str, int]) -> None:
    memory = limits.get("memory", MEMORY)
    cpu = limits.get("cpu", CPU_SECONDS)
    with suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text("1000")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limits.get("wall", WALL_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5 + ocr.SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _read(path: Path, kind: str) -> bytes:
    try:
        if kind == "image":
            return json.dumps({"picture": read_picture(path)}).encode()
        extracted = read_file(path, kind)
        figures = [told(drawn) for drawn in extracted.figures]
        plain = asdict(replace(extracted, figures=()))
        return json.dumps({"extracted": {**plain, "figures": figures}}).encode()
    except ExtractionFailed as error:
        return _failure(str(error))
    except FileNotFoundError:
        return _failure(MISSING)
    except MemoryError:
        return _failure(TOO_LARGE_IN_MEMORY)
    except (RecursionError, Exception) as error:  # noqa: BLE001 - any parser may raise anything
        sys.stderr.write(f"{kind}: {type(error).__name__}: {error}\n")
        return _failure(DAMAGED)


def _failure(reason: str) -> bytes:
    return json.dumps({"reason": reason}).encode()


BROKEN = frozenset({_failure(TOO_SLOW), _failure(CRASHED)})


def serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        ready, _, _ = select.select([requests], [], [], IDLE_SECONDS)
        line = requests.readline() if ready else b""
        if not line:
            return
        answers.write(answer(json.loads(line)) + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve()
