"""Somebody else's MCP server, which can be told to misbehave. It speaks 2025-11-25, by POST alone.

with FakeServer() as server:
    server.tools = [tool("add")]
    server.answers["add"] = text("3")
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.web import Site, serve

Handler = BaseHTTPRequestHandler
Body = dict[str, Any]
NO_METHOD = -32601
CLOSE = ("Connection", "close")  # the handler does, and must say so


def tool(name: str, description: str = "", **rest: Any) -> Body:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    return {"name": name, "description": description, "inputSchema": schema, **rest}


def text(words: str, **rest: Any) -> Body:
    return {"content": [{"type": "text", "text": words}], **rest}


class FakeServer:
    """`answers` are results by tool; `instead` takes over the answer to a method, as it likes."""

    def __init__(self) -> None:
        self.tools: list[Body] = []
        self.answers: dict[str, Body] = {}
        self.instead: dict[str, Callable[[Handler, Body], None]] = {}
        self.token = ""
        self.heard: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.site: Site

    @property
    def url(self) -> str:
        return self.site.at("/mcp")

    @property
    def called(self) -> list[Body]:
        return [one["params"] for one in self.heard if one["method"] == "tools/call"]

    def __call__(self, handler: Handler) -> None:
        if handler.command != "POST":
            return say(handler, {}, status=405)
        asked = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.heard.append(asked)
        self.headers.append(dict(handler.headers.items()))
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            return say(handler, {"error": "who are you?"}, status=401)
        if "id" not in asked:
            return say(handler, {}, status=202)
        if (instead := self.instead.get(asked["method"])) is not None:
            return instead(handler, asked)
        return say(handler, {"jsonrpc": "2.0", "id": asked["id"], **self._answer(asked)})

    def _answer(self, asked: Body) -> Body:
        match asked["method"]:
            case "initialize":
                return {"result": {
                    "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                    "serverInfo": {"name": "fake", "version": "1"},
                }}  # fmt: skip
            case "tools/list":
                return {"result": {"tools": self.tools}}
            case "tools/call":
                return {"result": self.answers[asked["params"]["name"]]}
        return {"error": {"code": NO_METHOD, "message": "no such method"}}


def say(handler: Handler, body: Body, status: int = 200) -> None:
    plain(handler, json.dumps(body).encode(), status=status)


def plain(
    handler: Handler, body: bytes, kind: str = "application/json", status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
) -> None:  # fmt: skip
    handler.send_response(status)
    for name, value in (
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        CLOSE,
        *headers,
    ):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def stream(handler: Handler, events: Iterator[bytes]) -> None:
    """Events until they end or nobody listens any more."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header(*CLOSE)
    handler.end_headers()
    for event in events:
        handler.wfile.write(event)
        handler.wfile.flush()


def event(body: Body) -> bytes:
    return b"event: message\ndata: " + json.dumps(body).encode() + b"\n\n"


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    fake = FakeServer()
    with serve({"/mcp": fake}) as fake.site:
        yield fake
