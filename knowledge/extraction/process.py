"""Reading a file in another process: what the ingestion job calls."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from knowledge.extraction.plain import read_text
from knowledge.extraction.reasons import CRASHED, MISSING, ExtractionFailed
from knowledge.types import Block, BlockKind, Extracted

SHORT = 16 * 1024  # bytes: below this not even the worst text takes long
ROOT = Path(__file__).resolve().parents[2]
# The reader knows nothing of this process: no keys, no addresses.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class ReadingProcess:
    """The one reading process of this process: started when needed, and again when it is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def extract(self, path: Path, kind: str, limits: dict[str, int] | None = None) -> Extracted:
        """Return the text and blocks of the file; raise `ExtractionFailed` with a reason."""
        request = {"path": str(path), "kind": kind, "limits": limits}
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            # A reader that was idle may have just left: the second one is new.
            reply = self._ask(line) or self._ask(line)
        if not reply:
            raise ExtractionFailed(CRASHED)
        answer = json.loads(reply)
        if "reason" in answer:
            raise ExtractionFailed(answer["reason"])
        return _to_extracted(answer["extracted"])

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._stop(self._process)

    def _ask(self, line: bytes) -> bytes:
        """The reply, or nothing when the reader is gone."""
        if self._process is not None and self._process.poll() is not None:
            self._stop(self._process)
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            reply = process.stdout.readline()
        except BrokenPipeError:
            reply = b""
        if not reply.endswith(b"\n"):
            self._stop(process)
            return b""
        return reply

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was not sent went to nobody
        self._process = None


def extract(path: Path, kind: str) -> Extracted:
    """Read a file; a short plain text right here, where no parser can go wrong.

    Raises `ExtractionFailed` with a reason.
    """
    if kind == "text" and _is_short(path):
        return read_text(path)
    return reading_process.extract(path, kind)


def _is_short(path: Path) -> bool:
    try:
        return path.stat().st_size <= SHORT
    except FileNotFoundError as error:
        raise ExtractionFailed(MISSING) from error


def _start() -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "knowledge.extraction.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def _to_extracted(found: dict[str, Any]) -> Extracted:
    blocks = tuple(
        Block(BlockKind(b["kind"]), b["start"], b["end"], b["level"], b["page"])
        for b in found["blocks"]
    )
    return Extracted(**{**found, "blocks": blocks})


reading_process = ReadingProcess()
