"""The whole product as `make up` starts it: every process, embedded servers, real policy."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Self

from embedded.home import Home
from tests.support import prepared

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 180
RUN_SECONDS = 60
ANSWER = "answer of the shell: "
# Runs one program a line, each by itself: a process for each would cost a test two seconds.
SHELL = f"""
import contextlib, io, json, sys, traceback
from django.db import connections
for line in sys.stdin:
    said, error = io.StringIO(), ""
    with contextlib.redirect_stdout(said):
        try:
            exec(json.loads(line), dict(__name__="__main__"))
        except BaseException:
            error = traceback.format_exc()
    connections.close_all()
    print({ANSWER!r} + json.dumps([said.getvalue(), error]), flush=True)
"""


class Product:
    """Running from `with` to its end; `email` and `password` are the first administrator's."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        self._shell: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="parley-browser-")
        prepared.furnish(Home(Path(self._home.name)), is_product=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.origin = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        }
        self._environment |= self._settings
        self._environment |= {
            "PARLEY_HOME": self._home.name,
            "PORT": self.origin.rpartition(":")[2],
        }
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=REPOSITORY, env=self._environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.log: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(START_SECONDS) or self._process.poll() is not None:
            self.__exit__()
            raise RuntimeError("The product did not start:\n" + "".join(self.log[-30:]))
        said = "".join(self.log)
        self.email = self._said(r"e-?mail\s+(\S+@\S+)", said)
        self.password = self._said(r"password\s+(\S+)", said)
        return self

    def __exit__(self, *_: object) -> None:
        self._end_shell()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._home.cleanup()

    def run(self, code: str) -> str:
        """Runs Python beside the product, on the same data."""
        if self._shell is None or self._shell.poll() is not None:
            self._shell = self._open_shell()
        shell = self._shell
        assert shell.stdin is not None
        assert shell.stdout is not None
        patience = threading.Timer(RUN_SECONDS, shell.kill)
        patience.start()
        try:
            print(json.dumps(code), file=shell.stdin, flush=True)
            lines = []
            for line in shell.stdout:
                lines.append(line)
                if line.startswith(ANSWER):
                    said, error = json.loads(line.removeprefix(ANSWER))
                    assert not error, error
                    return str(said)
        finally:
            patience.cancel()
        raise AssertionError("the shell has ended:\n" + "".join(lines))

    def _open_shell(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", SHELL],
            cwd=REPOSITORY, env=self._environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _end_shell(self) -> None:
        if self._shell is None:
            return
        self._shell.kill()
        self._shell.wait()
        for pipe in (self._shell.stdin, self._shell.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append(line)
            if "Parley is ready" in line:
                self._ready.set()
        self._ready.set()

    @staticmethod
    def _said(pattern: str, text: str) -> str:
        match = re.search(pattern, re.sub(r"\x1b\[\d+m", "", text))
        assert match, f"{pattern!r} was not printed:\n{text}"
        return match[1]
