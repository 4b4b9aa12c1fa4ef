"""What is asked for, and the script that answers it."""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.model_server.completions import (
    asks_for_title,
    closing_events,
    delta_events,
    event_bytes,
    shared_words,
    text_vector,
    whole_completion,
)
from tests.support.model_server.listening import Listener
from tests.support.model_server.scripts import Captured, Embed, Script, Streamed
from tests.support.model_server.wire import (
    Cut,
    Disconnected,
    hang,
    response_head,
    send,
    send_error,
    send_json,
    sleep_or_leave,
    write_chunks,
)


class ModelServer(Listener):
    """Takes the next script of its queue for each request."""

    def __init__(
        self,
        port: int = 0,
        default: Script | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port, ssl_context)
        self.default: Script | Callable[[dict[str, Any]], Script] = default or Script()
        self.models = ["scripted"]
        self.models_script: Script | None = None  # for /v1/models; `error` is its body
        self.api_key: str | None = None
        # JSON by path, or a function of the request's; before everything else.
        self.pages: dict[str, Any] = {}
        self.title: Script | None = None  # for a conversation; without one none is written
        self.streamed: list[Streamed] = []
        self.answering = 0  # chat requests at this moment …
        self.most_answering = 0  # … and the most of them that there ever were
        self._chat: deque[Script] = deque()
        self._embeddings: deque[Script | Embed] = deque()
        self._reranks: deque[Script] = deque()
        self.embed_default: Script | Embed = Script()

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
        return [body for body in self._completions if not asks_for_title(body)]

    @property
    def title_requests(self) -> list[dict[str, Any]]:
        return [body for body in self._completions if asks_for_title(body)]

    @property
    def _completions(self) -> list[dict[str, Any]]:
        return [r.json for r in self.requests if r.path.endswith("/chat/completions")]

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

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """For as long as a chat request is being answered."""
        self._note(answering=1)
        self.most_answering = max(self.most_answering, self.answering)
        try:
            yield
        finally:
            self._note(answering=-1)

    async def _answer(
        self, request: Captured, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = request.path.split("?")[0]
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            error = {"message": "Incorrect API key provided", "code": "invalid_api_key"}
            send_json(writer, {"error": error}, 401)
        elif path in self.pages:
            page = self.pages[path]
            send_json(writer, page(request.json) if callable(page) else page)
        elif path == "/v1/models" and self.models_script:
            await sleep_or_leave(self.models_script.head_delay, reader)
            send_error(writer, self.models_script)
        elif path == "/v1/models":
            data = [{"id": name, "object": "model", "created": 1} for name in self.models]
            send_json(writer, {"object": "list", "data": data})
        elif path == "/v1/chat/completions" and asks_for_title(request.json):
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
            send(writer, b"<html><body>404 Not Found</body></html>", 404, "text/html")
        await writer.drain()

    async def _rerank(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        w: asyncio.StreamWriter,
    ) -> None:
        await sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            send_error(w, script)
            return
        results = [
            {"index": n, "relevance_score": shared_words(body["query"], document)}
            for n, document in enumerate(body.get("documents") or body["texts"])
        ]
        results.sort(key=lambda one: -one["relevance_score"])
        usage = {"total_tokens": len(results)}
        send_json(w, {"model": body["model"], "results": results, "usage": usage})

    async def _embed(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        w: asyncio.StreamWriter,
    ) -> None:
        await sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            send_error(w, script)
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
        send_json(w, {"object": "list", "model": body["model"], "data": data, "usage": usage})

    async def _write_title(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            send_error(writer, script)
        else:
            send_json(writer, whole_completion(script, body))

    async def _chat_completion(
        self,
        script: Script,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await sleep_or_leave(script.head_delay, reader)
        if script.status != 200:
            send_error(writer, script)
            return
        if script.ignores_stream or not body.get("stream"):
            send_json(writer, whole_completion(script, body))
            return
        head = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        writer.write(response_head(200, head | script.headers))
        await writer.drain()
        if script.raw is not None:
            await write_chunks(writer, script.raw, script.write_size)
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
        await sleep_or_leave(script.first_delay, reader)
        for number, event in enumerate(delta_events(script, body)):
            if number == script.cut_after:
                writer.transport.abort()
                raise Cut
            if number == script.hang_after:
                await hang(script, reader)
            if number == script.error_after:
                error = {"error": {"message": "the model crashed", "type": "server_error"}}
                await write_chunks(writer, event_bytes(script, error), script.write_size)
                return
            streamed.events = number + 1
            await write_chunks(writer, event, script.write_size)
            if script.delay:
                await sleep_or_leave(script.delay, reader)
            elif reader.at_eof():
                raise Disconnected
        for event in closing_events(script, body):
            await write_chunks(writer, event, script.write_size)
