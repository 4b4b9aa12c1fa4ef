"""A light client for many sockets: it stamps times and keeps bytes, and parses afterwards."""

import asyncio
import base64
import json
import os
import struct
import time
from dataclasses import dataclass, field
from typing import Any

ACK_EVERY = 16  # frames; the server goes slower after 64 unacknowledged ones


@dataclass
class Answer:
    """One question's frames; the hot path only appends to it."""

    asked: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    frames: list[bytes] = field(default_factory=list)

    def text(self) -> str:
        events = [json.loads(frame) for frame in self.frames if b'"text_delta"' in frame]
        return "".join(event["data"]["text"] for event in events)


class Tab(asyncio.Protocol):
    """Enough of RFC 6455 for a client that trusts its server; its masks are zero."""

    def __init__(self, port: int, cookie: str) -> None:
        self.address = f"127.0.0.1:{port}"
        self.cookie = cookie
        self.received = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] | None = None
        self.answer = Answer()
        self.stream = ""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/ HTTP/1.1\r\nHost: {self.address}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: http://{self.address}\r\nCookie: {self.cookie}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        lost = ConnectionError(f"the server closed the socket: {self.received[:200]!r}")
        for waiting in (self.opened, self.done):
            if waiting is not None and not waiting.done():
                waiting.set_exception(lost)

    def data_received(self, data: bytes) -> None:
        data = self.received + data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self.received = head
                return
            if b" 101 " not in head[:20]:
                self.received = head
                self.transport.close()
                return
            self.opened.set_result(None)
        position = 0
        while (frame := self._frame(data, position)) is not None:
            opcode, body, position = frame
            if opcode == 1:
                self._take(body)
            elif opcode == 9:
                self._send(body, opcode=10)
        self.received = data[position:]

    @staticmethod
    def _frame(data: bytes, position: int) -> tuple[int, bytes, int] | None:
        if len(data) - position < 2:
            return None
        size, start = data[position + 1] & 127, position + 2
        if size == 126:
            if len(data) - start < 2:
                return None
            size, start = struct.unpack_from(">H", data, start)[0], start + 2
        elif size == 127:
            if len(data) - start < 8:
                return None
            size, start = struct.unpack_from(">Q", data, start)[0], start + 8
        if len(data) < start + size:
            return None
        return data[position] & 15, data[start : start + size], start + size

    def _take(self, frame: bytes) -> None:
        answer = self.answer
        answer.frames.append(frame)
        if b'"text_delta"' in frame:
            answer.first = answer.first or time.perf_counter()
            if len(answer.frames) % ACK_EVERY == 0:
                seq = json.loads(frame)["seq"]
                self.send({"type": "ack", "stream": self.stream, "seq": seq})
        elif b'"accepted"' in frame:
            self.stream = json.loads(frame)["turn_id"]
        elif b'"message_completed"' in frame or b'"refused"' in frame or b'"turn_failed"' in frame:
            answer.ended = time.perf_counter()
            if self.done and not self.done.done():
                self.done.set_result(None)

    async def ask(self, **question: Any) -> Answer:
        """Ask one question on this socket and wait for the end of its answer."""
        self.done = asyncio.get_running_loop().create_future()
        self.answer = answer = Answer(asked=time.perf_counter())
        self.send({"type": "turn.start", **question})
        await self.done
        return answer

    def send(self, frame: dict[str, Any]) -> None:
        self._send(json.dumps(frame).encode())

    def _send(self, body: bytes, opcode: int = 1) -> None:
        size = len(body)
        if size < 126:
            head = bytes([0x80 | opcode, 0x80 | size])
        else:
            head = bytes([0x80 | opcode, 0x80 | 126]) + struct.pack(">H", size)
        self.transport.write(head + bytes(4) + body)


async def open_tabs(port: int, cookies: list[str]) -> list[Tab]:
    loop = asyncio.get_running_loop()
    tabs = []
    for cookie in cookies:
        _, tab = await loop.create_connection(lambda c=cookie: Tab(port, c), "127.0.0.1", port)
        await asyncio.wait_for(tab.opened, 30)
        tabs.append(tab)
    return tabs
