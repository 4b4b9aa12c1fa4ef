"""A scripted OpenAI-compatible server on loopback, so that tests speak to a real socket.

    server.queue(Script(text="Hello"), Script(status=429, headers={"Retry-After": "7"}))

Each chat request takes the next queued script (or `server.default`); embedding requests take
from `server.queue_embeddings(...)` and otherwise get vectors that depend on the text alone.
It runs in a thread of its own, so synchronous and asynchronous tests use it alike. Started as
a program (`python -m tests.support.model_server --port 9100`) it serves the default script.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

DEFAULT_TEXT = "Parley answers from the passages it was given [1]."


@dataclass(frozen=True)
class Script:
    """How one request is answered; the defaults are a well-behaved stream."""

    text: str | Callable[[dict[str, Any]], str] = DEFAULT_TEXT
    token_size: int = 4  # characters per delta
    delay: float = 0.0  # seconds between deltas
    first_delay: float = 0.0  # seconds before the first delta (after the response head)
    head_delay: float = 0.0  # seconds before the response head
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | str | None = None  # body when status is not 200; text is sent as is
    # Delta 0 only carries the role, as with OpenAI.
    error_after: int | None = None  # deltas before an error object inside the 200 stream
    cut_after: int | None = None  # deltas before the connection is dropped
    hang_after: int | None = None  # deltas before silence until the client leaves …
    go_on: threading.Event | None = None  # … or until the test lets it go on
    finish_reason: str | None = "stop"
    done: bool = True  # send `data: [DONE]`
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    )
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    newline: str = "\n"  # "\r\n" or "\r" for the other line ends SSE allows
    write_size: int | None = None  # bytes per socket write, to split inside characters
    bom: bool = False
    comments: bool = False
    padding: int = 0  # extra bytes in one event, for a huge line
    ignores_stream: bool = False  # one JSON object although a stream was asked for
    raw: bytes | None = None  # the whole event stream, verbatim


Embed = Callable[[dict[str, Any]], Script]  # by the request's body


@dataclass(frozen=True)
class Captured:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body) if self.body else {}


@dataclass
class Streamed:
    """One streamed answer as it left this server: the oracle of tests that lose connections."""

    body: dict[str, Any]
    script: Script
    events: int = 0  # written, or being written; the first one only carries the role

    @property
    def text(self) -> str:
        whole = _answer_text(self.script, self.body)
        return whole[: max(self.events - 1, 0) * self.script.token_size]


class Disconnected(Exception):
    """The client closed its connection while an answer was being written."""


class ModelServer:
    """One listening socket; counts what it saw and what clients abandoned."""

    def __init__(
        self,
        port: int = 0,
        default: Script | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._ssl = ssl_context
        self.default: Script | Callable[[dict[str, Any]], Script] = default or Script()
        self.models = ["scripted"]
        self.models_script: Script | None = None  # for /v1/models; `error` is its body
        self.api_key: str | None = None
        # JSON by path, or a function of the request's; before everything else.
        self.pages: dict[str, Any] = {}
        self.title: Script | None = None  # for a conversation; without one none is written
        self.requests: list[Captured] = []
        self.streamed: list[Streamed] = []
        self.disconnects = 0
        self.open_connections = 0
        self.answering = 0  # chat requests at this moment …
        self.most_answering = 0  # … and the most of them that there ever were
        self._port = port
        self._chat: deque[Script] = deque()
        self._embeddings: deque[Script | Embed] = deque()
        self._reranks: deque[Script] = deque()
        self.embed_default: Script | Embed = Script()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self._ready = threading.Event()

    # -- what tests use ------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        return self._port

    def queue(self, *scripts: Script) -> None:
        self._chat.extend(scripts)

    def queue_embeddings(self, *scripts: Script | Embed) -> None:
        self._embeddings.extend(scripts)

    def queue_reranks(self, *scripts: Script) -> None:
        """For /v1/rerank; without one the documents that share words with the query are best."""
        self._reranks.extend(scripts)

    @property
    def embedded(self) -> list[list[str]]:
        """The texts of each request for vectors."""
        return [r.json["input"] for r in self.requests if r.path.endswith("/embeddings")]

    @property
    def chat_requests(self) -> list[dict[str, Any]]:
        """Without those for titles, which come whenever a conversation has its first answer."""
        return [body for body in self._completions if not _asks_for_title(body)]

    @property
    def title_requests(self) -> list[dict[str, Any]]:
        return [body for body in self._completions if _asks_for_title(body)]

    @property
    def _completions(self) -> list[dict[str, Any]]:
        return [r.json for r in self.requests if r.path.endswith("/chat/completions")]

    def wait_for(self, condition: Callable[[ModelServer], bool], timeout: float = 5.0) -> bool:
        """Wait until the condition over this server holds; false when it never did."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def reset(self) -> None:
        """Forget scripts and captures; connections stay."""
        self._chat.clear()
        self._embeddings.clear()
        self._reranks.clear()
        self.embed_default = Script()
        self.requests.clear()
        self.streamed.clear()
        self.disconnects = 0
        self.most_answering = self.answering
        self.default = Script()
        self.models = ["scripted"]
        self.models_script = None
        self.api_key = None
        self.pages = {}
        self.title = None

    def start(self) -> Self:
        self._thread.start()
        self._ready.wait(5)
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- the server ----------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, backlog=512, ssl=self._ssl
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        while self._tasks or self._writers:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:  # of those that came in the last moment
                writer.transport.abort()
            self._writers.clear()
            await asyncio.sleep(0.01)  # for the sockets to be closed, and the tasks forgotten

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, **changes: int) -> None:
        with self._changed:
            for name, by in changes.items():
                setattr(self, name, getattr(self, name) + by)
            self._changed.notify_all()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """For as long as a chat request is being answered."""
        self._note(answering=1)
        self.most_answering = max(self.most_answering, self.answering)
        try:
            yield
        finally:
            self._note(answering=-1)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(open_connections=1)
        try:
            while (request := await _read_request(reader)) is not None:
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                await self._answer(request, reader, writer)
        except (Disconnected, ConnectionError):
            self._note(disconnects=1)
        except _Cut:
            pass
        finally:
            self._note(open_connections=-1)
            writer.close()
            self._writers.discard(writer)
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(
        self, request: Captured, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = request.path.split("?")[0]
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            error = {"message": "Incorrect API key provided", "code": "invalid_api_key"}
            _send_json(writer, {"error": error}, 401)
        elif path in self.pages:
            page = self.pages[path]
            _send_json(writer, page(request.json) if callable(page) else page)
        elif path == "/v1/models" and self.models_script:
            await _sleep_or_leave(self.models_script.head_delay, reader)
            _send_error(writer, self.models_script)
        elif path == "/v1/models":
            data = [{"id": name, "object": "model", "created": 1} for name in self.models]
            _send_json(writer, {"object": "list", "data": data})
        elif path == "/v1/chat/completions" and _asks_for_title(request.json):
            refused = Script(status=400, error={"message": "no titles today"})
            await self._write_title(self.title or refused, request.json, reader, writer)
        elif path == "/v1/chat/completions":
            script = self._chat.popleft() if self._chat else self.default
            script = script(request.json) if callable(script) else script
            with self._counted():
                await self._chat_completion(script, request.json, reader, writer)
        elif path == "/v1/embeddings":
            embed = self._embeddings.popleft() if self._embeddings else self.embed_default
            with self._counted():
                script = embed(request.json) if callable(embed) else embed
                await self._embed(script, request.json, reader, writer)
        elif path == "/v1/rerank" and "/rerank" not in self.pages:
            script = self._reranks.popleft() if self._reranks else Script()
            await self._rerank(script, request.json, reader, writer)
        else:
            _send(writer, b"<html><body>404 Not Found</body></html>", 404, "text/html")
        await writer.drain()

    async def _rerank(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        w: asyncio.StreamWriter,
    ) -> None:
        await _sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            _send_error(w, script)
            return
        results = [
            {"index": n, "relevance_score": shared_words(body["query"], document)}
            for n, document in enumerate(body.get("documents") or body["texts"])
        ]
        results.sort(key=lambda one: -one["relevance_score"])
        usage = {"total_tokens": len(results)}
        _send_json(w, {"model": body["model"], "results": results, "usage": usage})

    async def _embed(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        w: asyncio.StreamWriter,
    ) -> None:
        await _sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            _send_error(w, script)
            return
        items = body["input"] if isinstance(body["input"], list) else [body["input"]]
        size = int(body.get("dimensions") or 384)
        data = []
        for index, item in enumerate(items):
            vector = text_vector(item, size)
            value: Any = vector
            if body.get("encoding_format") == "base64":
                value = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": value})
        usage = {"prompt_tokens": len(items), "total_tokens": len(items)}
        _send_json(w, {"object": "list", "model": body["model"], "data": data, "usage": usage})

    async def _write_title(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await _sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            _send_error(writer, script)
        else:
            _send_json(writer, _completion(script, body))

    async def _chat_completion(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await _sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            _send_error(writer, script)
            return
        if script.ignores_stream or not body.get("stream"):
            _send_json(writer, _completion(script, body))
            return
        head = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        writer.write(_head(200, head | script.headers))
        await writer.drain()
        if script.raw is not None:
            await _write_chunks(writer, script.raw, script.write_size)
        else:
            await self._stream(script, body, reader, writer)
        writer.write(b"0\r\n\r\n")

    async def _stream(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        streamed = Streamed(body, script)
        self.streamed.append(streamed)
        await _sleep_or_leave(script.first_delay, reader)
        for number, event in enumerate(_delta_events(script, body)):
            if number == script.cut_after:
                writer.transport.abort()
                raise _Cut
            if number == script.hang_after:
                await _hang(script, reader)
            if number == script.error_after:
                error = {"error": {"message": "the model crashed", "type": "server_error"}}
                await _write_chunks(writer, _event(script, error), script.write_size)
                return
            streamed.events = number + 1
            await _write_chunks(writer, event, script.write_size)
            if script.delay:
                await _sleep_or_leave(script.delay, reader)
            elif reader.at_eof():
                raise Disconnected
        for event in _closing_events(script, body):
            await _write_chunks(writer, event, script.write_size)


def _asks_for_title(body: dict[str, Any]) -> bool:
    first = (body.get("messages") or [{}])[0]
    return str(first.get("content")).startswith("You write the title")


async def _hang(script: Script, reader: asyncio.StreamReader) -> None:
    while script.go_on is None or not script.go_on.is_set():
        await _sleep_or_leave(0.05 if script.go_on else 3600, reader)


class _Cut(Exception):
    """The script asked to drop the connection."""


def shared_words(query: str, document: str) -> float:
    asked = set(query.lower().split())
    return len(asked & set(document.lower().split())) / len(asked)


def text_vector(text: str, size: int = 384) -> list[float]:
    """A unit vector that is a function of the text alone."""
    raw = hashlib.shake_128(str(text).encode()).digest(size * 2)
    vector = [(x - 32768) / 32768 for x in struct.unpack(f"<{size}H", raw)]
    norm = sum(x * x for x in vector) ** 0.5
    return [x / norm for x in vector]


async def _read_request(reader: asyncio.StreamReader) -> Captured | None:
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


async def _sleep_or_leave(seconds: float, reader: asyncio.StreamReader) -> None:
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


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _send(w: asyncio.StreamWriter, body: bytes, status: int, kind: str, **extra: str) -> None:
    headers = {"Content-Type": kind, "Content-Length": str(len(body))}
    w.write(_head(status, headers | extra) + body)


def _send_json(w: asyncio.StreamWriter, value: Any, status: int = 200, **extra: str) -> None:
    _send(w, json.dumps(value).encode(), status, "application/json", **extra)


def _send_error(w: asyncio.StreamWriter, script: Script) -> None:
    if isinstance(script.error, str):
        _send(w, script.error.encode(), script.status, "text/html", **script.headers)
        return
    error = script.error or {"message": f"scripted {script.status}", "type": "scripted"}
    _send_json(w, {"error": error}, script.status, **script.headers)


async def _write_chunks(w: asyncio.StreamWriter, data: bytes, size: int | None) -> None:
    """One HTTP chunk per piece; a split piece is its own socket write."""
    for start in range(0, len(data), size or len(data) or 1):
        piece = data[start : start + size] if size else data
        w.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await w.drain()
        if size:
            await asyncio.sleep(0)


def _answer_text(script: Script, body: dict[str, Any]) -> str:
    return script.text(body) if callable(script.text) else script.text


def _event(script: Script, value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    comment = f": keep-alive{script.newline}{script.newline}" if script.comments else ""
    return f"{comment}data: {text}{script.newline}{script.newline}".encode()


def _chunk(script: Script, body: dict[str, Any], **parts: Any) -> bytes:
    value = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    return _event(script, value | {"model": body.get("model", "")} | parts)


def _choice(delta: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


def _delta_events(script: Script, body: dict[str, Any]) -> Iterator[bytes]:
    first = _chunk(script, body, choices=_choice({"role": "assistant", "content": ""}))
    padding = _event(script, {"choices": [], "padding": "x" * script.padding})
    yield (b"\xef\xbb\xbf" if script.bom else b"") + (padding if script.padding else b"") + first
    for name, text in ((script.reasoning_field, script.reasoning), ("content", "")):
        whole = text or (_answer_text(script, body) if name == "content" else "")
        for start in range(0, len(whole), script.token_size):
            piece = whole[start : start + script.token_size]
            yield _chunk(script, body, choices=_choice({name: piece}))


def _closing_events(script: Script, body: dict[str, Any]) -> Iterator[bytes]:
    if script.finish_reason is not None:
        yield _chunk(script, body, choices=_choice({}, script.finish_reason))
    if script.usage is not None and (body.get("stream_options") or {}).get("include_usage"):
        yield _chunk(script, body, choices=[], usage=script.usage)
    if script.done:
        yield f"data: [DONE]{script.newline}{script.newline}".encode()


def _completion(script: Script, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": _answer_text(script, body)}
    if script.reasoning:
        message[script.reasoning_field] = script.reasoning
    choice = {"index": 0, "message": message, "finish_reason": script.finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", ""),
        "choices": [choice],
        "usage": script.usage,
    }


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A fresh scripted server for one test."""
    with ModelServer() as server:
        yield server


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the scripted model on loopback.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between deltas")
    parser.add_argument("--text", default=DEFAULT_TEXT)
    args = parser.parse_args()
    script = Script(text=args.text, delay=args.delay)
    with ModelServer(args.port, script) as server, suppress(KeyboardInterrupt):
        print(f"scripted model at {server.url}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
