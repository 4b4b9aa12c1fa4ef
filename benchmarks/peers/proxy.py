"""LiteLLM's proxy in an environment of its own, asked by as light a client as Parley is.

The environment is made from the pinned `litellm/requirements.txt` at first use and kept in
`var/peers`. No database, no Redis, no callbacks: as lean as its documentation shows it.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.home import ROOT
from benchmarks.sockets import Answer

HERE = Path(__file__).resolve().parent / "litellm"
ENVIRONMENT = ROOT / "var" / "peers" / "litellm"
COMMAND = ENVIRONMENT / "bin" / "litellm"
KEY = "sk-bench"
FIRST_WORD = re.compile(rb'"content":\s*"[^"]')
STARTS_WITHIN = 120  # seconds


def is_installed() -> bool:
    """Whether it is there, or could be made with uv from PyPI now."""
    if COMMAND.exists():
        return True
    uv = Path(sys.executable).with_name("uv")
    python = ENVIRONMENT / "bin" / "python"
    wanted = ["--python", python, "-r", HERE / "requirements.txt"]
    for step in (["venv", "-q", "-p", "3.11", ENVIRONMENT], ["pip", "install", "-q", *wanted]):
        if subprocess.run([uv, *step], check=False).returncode:
            print("LiteLLM could not be installed: it is left out")
            return False
    return True


@contextmanager
def proxy(
    folder: Path, port: int, url: str, models: Sequence[str], core: int | None
) -> Iterator[psutil.Process]:
    """Running on one core, with these models of the endpoint."""
    config = folder / "litellm.json"  # JSON is YAML
    served = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_base": url, "api_key": "-"},
        }
        for name in models
    ]
    config.write_text(json.dumps({"model_list": served, "general_settings": {"master_key": KEY}}))
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    command = [COMMAND, "--config", config, "--port", str(port), "--num_workers", "1"]
    started = subprocess.Popen(
        command,
        cwd=folder,
        env=_plain() | quiet,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    one = psutil.Process(started.pid)
    if core is not None:
        one.cpu_affinity([core])
    try:
        _wait(port)
        yield one
    finally:
        started.terminate()
        started.wait(30)


def _plain() -> dict[str, str]:
    """The environment without what Parley's own settings put there."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _wait(port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit("LiteLLM did not start")


class Reader(asyncio.Protocol):
    """One kept connection that asks for streamed completions, one after another."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answer = Answer()
        self.done: asyncio.Future[None] | None = None
        self.tail = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.done and not self.done.done():
            self.done.set_exception(ConnectionError(f"closed: {self.answer.frames[:1]!r}"))

    def data_received(self, data: bytes) -> None:
        answer = self.answer
        answer.frames.append(data)
        if not answer.first and FIRST_WORD.search(self.tail + data):
            answer.first = time.perf_counter()
        self.tail = (self.tail + data)[-64:]
        if self.tail.endswith(b"\r\n0\r\n\r\n") and self.done and not self.done.done():
            answer.ended = time.perf_counter()
            self.done.set_result(None)

    async def ask(self, model: str) -> Answer:
        loop = asyncio.get_running_loop()
        if self.transport.is_closing():  # it keeps an idle connection for five seconds
            await loop.create_connection(lambda: self, "127.0.0.1", self.port)
        self.done = loop.create_future()
        self.tail = b""
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
        raw = json.dumps(body).encode()
        self.answer = answer = Answer(asked=time.perf_counter())
        self.transport.write(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n".encode()
            + raw
        )
        await self.done
        return answer


def text_in(answer: Answer) -> str:
    """What the answer's events say; the chunks of HTTP are taken away first."""
    rest, body = b"".join(answer.frames).partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
    events = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
    choices = [choice for event in events for choice in json.loads(event).get("choices", ())]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def open_readers(port: int, count: int) -> list[Reader]:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Reader(port), "127.0.0.1", port) for _ in range(count)
    ]
    return [reader for _, reader in made]
