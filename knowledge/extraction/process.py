"""Reading a file in another process: what the ingestion job calls."""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from knowledge.extraction.plain import read_text
from knowledge.extraction.reasons import CRASHED, MISSING, TOO_SLOW, ExtractionFailed
from knowledge.types import Block, BlockKind, Drawn, Extracted, Mark, Redrawn

SHORT = 16 * 1024  # bytes: below this not even the worst text takes long
CHECK_SECONDS = 1.0
PATIENCE_SECONDS = 300.0  # the reader stops a slow file itself, before; this is for a hung reader
OCR_PATIENCE_SECONDS = 1200.0  # pictures of pages take longer, and what they break is read twice
DRAWN_STARTS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
ROOT = Path(__file__).resolve().parents[2]
# The reader knows nothing of this process: no keys, no addresses.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class ReadingProcess:
    """The one reading process of this process: started when needed, and again when it is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def extract(
        self,
        path: Path,
        kind: str,
        limits: dict[str, int] | None = None,
        check: Callable[[], None] | None = None,
        languages: str = "",
    ) -> Extracted:
        """Return the text and blocks of the file; raise `ExtractionFailed` with a reason.

        `check` is called every second meanwhile; what it raises ends the reading at once. Pages
        that are pictures are read by `ocr` where `languages` are named and it is there.
        """
        return _to_extracted(self._read(path, kind, limits, check, languages)["extracted"])

    def redraw(self, path: Path, check: Callable[[], None] | None = None) -> Redrawn:
        """Return the image at `path` written anew; raise `ExtractionFailed` with a reason."""
        picture = self._read(path, "image", None, check)["picture"]
        return Redrawn(_to_drawn(picture["large"]), _to_drawn(picture["small"]))

    def _read(
        self,
        path: Path,
        kind: str,
        limits: dict[str, int] | None,
        check: Callable[[], None] | None,
        languages: str = "",
    ) -> dict[str, Any]:
        request = {"path": str(path), "kind": kind, "limits": limits, "ocr": languages}
        line = json.dumps(request).encode() + b"\n"
        patience = OCR_PATIENCE_SECONDS if languages else PATIENCE_SECONDS
        with self._lock:
            # A reader that was idle may have just left: the second one is new.
            reply = self._ask(line, check, patience) or self._ask(line, check, patience)
        if not reply:
            raise ExtractionFailed(CRASHED)
        answer: dict[str, Any] = json.loads(reply)
        if "reason" in answer:
            raise ExtractionFailed(answer["reason"])
        return answer

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._stop(self._process)

    def _ask(self, line: bytes, check: Callable[[], None] | None, patience: float) -> bytes:
        """The reply, or nothing when the reader is gone."""
        if self._process is not None and self._process.poll() is not None:
            self._stop(self._process)
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            _wait_for(process.stdout, check, patience)
            reply = process.stdout.readline()
        except BrokenPipeError:
            reply = b""
        except BaseException:
            self._stop(process)
            raise
        if not reply.endswith(b"\n"):
            self._stop(process)
            return b""
        return reply

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the child that reads a file
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was not sent went to nobody
        self._process = None


def extract(
    path: Path, kind: str, check: Callable[[], None] | None = None, languages: str = ""
) -> Extracted:
    """Read a file; a short plain text right here, where no parser can go wrong.

    Raises `ExtractionFailed` with a reason, and what `check` raises.
    """
    if kind == "text" and _is_short(path):
        return read_text(path)
    wanted = languages if kind == "pdf" else ""
    return reading_process.extract(path, kind, check=check, languages=wanted)


def _wait_for(answer: IO[bytes], check: Callable[[], None] | None, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not select.select([answer], [], [], CHECK_SECONDS)[0]:
        if check is not None:
            check()
        if time.monotonic() > deadline:
            raise ExtractionFailed(TOO_SLOW)


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


def redraw(path: Path, check: Callable[[], None] | None = None) -> Redrawn:
    """An image written anew from its pixels, and a small one of it.

    Raises `ExtractionFailed` with a reason, and what `check` raises.
    """
    return reading_process.redraw(path, check)


def _to_drawn(found: dict[str, Any]) -> Drawn:
    """Looked at once more: a reader that was taken over may answer what it likes."""
    data, media_type = base64.b64decode(found["data"]), str(found["media_type"])
    if media_type not in DRAWN_STARTS or not data.startswith(DRAWN_STARTS[media_type]):
        raise ExtractionFailed(CRASHED)
    return Drawn(data, media_type, int(found["width"]), int(found["height"]))


def _to_extracted(found: dict[str, Any]) -> Extracted:
    blocks = tuple(
        Block(**{**b, "kind": BlockKind(b["kind"]), "marks": tuple(Mark(**m) for m in b["marks"])})
        for b in found["blocks"]
    )
    figures = tuple(_to_drawn(drawn) for drawn in found["figures"])
    return Extracted(**{**found, "blocks": blocks, "figures": figures})


reading_process = ReadingProcess()
