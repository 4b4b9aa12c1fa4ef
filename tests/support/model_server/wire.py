"""HTTP by hand, so that a test can break it wherever it likes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.model_server.scripts import Captured, Script


class Disconnected(Exception):
    """The client closed its connection while an answer was being written."""


class Cut(Exception):
    """The script asked to drop the connection."""


async def read_request(reader: asyncio.StreamReader) -> Captured | None:
    try:
        first_byte = await reader.readexactly(1)
        if not first_byte.isalpha():  # a TLS greeting, say
            return None
        head = first_byte + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Captured(method, path, headers, body)


async def sleep_or_leave(seconds: float, reader: asyncio.StreamReader) -> None:
    """Sleep, but notice at once when the client closes (it never sends while we answer)."""
    if not seconds:
        return
    try:
        async with asyncio.timeout(seconds):
            gone = not await reader.read(1)
    except TimeoutError:
        return
    if gone:
        raise Disconnected


async def hang(script: Script, reader: asyncio.StreamReader) -> None:
    while script.go_on is None or not script.go_on.is_set():
        await sleep_or_leave(0.05 if script.go_on else 3600, reader)


def response_head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def send(w: asyncio.StreamWriter, body: bytes, status: int, kind: str, **extra: str) -> None:
    headers = {"Content-Type": kind, "Content-Length": str(len(body))}
    w.write(response_head(status, headers | extra) + body)


def send_json(w: asyncio.StreamWriter, value: Any, status: int = 200, **extra: str) -> None:
    send(w, json.dumps(value).encode(), status, "application/json", **extra)


def send_error(w: asyncio.StreamWriter, script: Script) -> None:
    if isinstance(script.error, str):
        send(w, script.error.encode(), script.status, "text/html", **script.headers)
        return
    error = script.error or {"message": f"scripted {script.status}", "type": "scripted"}
    send_json(w, {"error": error}, script.status, **script.headers)


async def write_chunks(w: asyncio.StreamWriter, data: bytes, size: int | None) -> None:
    """One HTTP chunk per piece; a split piece is its own socket write."""
    for start in range(0, len(data), size or len(data) or 1):
        piece = data[start : start + size] if size else data
        w.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await w.drain()
        if size:
            await asyncio.sleep(0)
