"""A fast OpenAI-compatible stream for load: `python -m benchmarks.upstream --port 9100`.

The model name is the shape of the answer: `t200-i20-f150` is 200 tokens, 20 ms apart, the first
after 150 ms; with `-rich` at its end they are those of `rich_answer`. Each token is an event and,
when paced, a write of its own; events are rendered once, so the server costs little.
`benchmarks.gateway` and the streaming benchmark start it as a process.
"""

import argparse
import asyncio
import json
import re
from functools import lru_cache

import uvloop

from benchmarks.rich_answer import tokens_of

WORDS = [
    "The",
    " runner",
    " holds",
    " a",
    " lease",
    ",",
    " 你好",
    " “quoted”",
    " back\\slash",
    "\n",
]
BURST = 8  # events in one write when the answer is not paced
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def text_of(tokens: int) -> str:
    return "".join(WORDS[n % len(WORDS)] for n in range(tokens))


@lru_cache(maxsize=64)
def shape(model: str) -> tuple[int, float, float]:
    """Tokens, seconds between them, seconds before the first."""
    found = {key: int(value) for key, value in re.findall(r"([tif])(\d+)", model)}
    return found.get("t", 200), found.get("i", 0) / 1000, found.get("f", 0) / 1000


@lru_cache(maxsize=64)
def rendered(model: str) -> tuple[bytes, list[bytes], bytes]:
    """The opening event, one for each token, and the closing ones, as HTTP chunks."""
    tokens, _, _ = shape(model)
    base = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(**more: object) -> bytes:
        event = b"data: " + json.dumps(base | more, ensure_ascii=False).encode() + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(event), event)

    def delta(value: dict[str, str], finish: str | None = None) -> bytes:
        return chunk(choices=[{"index": 0, "delta": value, "finish_reason": finish}])

    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
    words = tokens_of(tokens) if model.endswith("-rich") else WORDS
    body = [delta({"content": words[n % len(words)]}) for n in range(tokens)]
    tail = delta({}, "stop") + chunk(choices=[], usage=usage)
    return (
        delta({"role": "assistant", "content": ""}),
        body,
        tail + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
    )


class Connection(asyncio.Protocol):
    """Requests of one connection, one after another."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.received = b""
        self.can_write = asyncio.Event()
        self.can_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.is_open = True

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self.can_write.set()

    def pause_writing(self) -> None:
        self.can_write.clear()

    def resume_writing(self) -> None:
        self.can_write.set()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if separator and len(body) >= size:
            self.received = body[size:]
            self.answer(str(json.loads(body[:size] or b"{}").get("model", "t1")))

    def answer(self, model: str) -> None:
        _, pause, first = shape(model)
        opening, body, tail = rendered(model)
        self.transport.write(HEAD + opening)
        start = self.loop.time() + first
        if pause:
            self.loop.call_at(start, self.paced, body, 0, start, pause, tail)
        else:
            self.loop.call_at(start, self.loop.create_task, self.flood(body, tail))

    def paced(self, body: list[bytes], n: int, start: float, pause: float, tail: bytes) -> None:
        if not self.is_open:
            return
        if n + 1 == len(body):
            self.transport.write(body[n] + tail)
            return
        self.transport.write(body[n])
        at = start + (n + 1) * pause
        self.loop.call_at(at, self.paced, body, n + 1, start, pause, tail)

    async def flood(self, body: list[bytes], tail: bytes) -> None:
        for n in range(0, len(body), BURST):
            await self.can_write.wait()
            if not self.is_open:
                return
            self.transport.write(b"".join(body[n : n + BURST]))
            await asyncio.sleep(0)
        self.transport.write(tail)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(
        Connection, "127.0.0.1", port, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve fast scripted answers on loopback.")
    parser.add_argument("--port", type=int, default=9100)
    uvloop.run(serve(parser.parse_args().port))
