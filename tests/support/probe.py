"""An application that misbehaves on request, behind the very server that `manage.py serve` runs.

`python -m tests.support.probe PORT [field=value …]`: the values are of `embedded.limits.Limits`.
"""

import asyncio
import json
import sys
from collections import Counter
from urllib.parse import parse_qs

BLOCK = b"x" * 65_536
counts = Counter()


async def application(scope, receive, send):
    name = scope["path"].strip("/")
    counts[f"{name}.running"] += 1
    try:
        await ACTS[name](scope, receive, send)
    finally:
        counts[f"{name}.running"] -= 1


async def answer(send, body, *, status=200, more=False):
    headers = [] if more else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def count(_scope, _receive, send):
    await answer(send, json.dumps(counts).encode())


async def read(_scope, receive, send):
    """Answers how long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
        counts["read.parts"] += 1
    await answer(send, str(length).encode())


async def flood(scope, _receive, send):
    """As many blocks as the query says."""
    await answer(send, b"", more=True)
    for _ in range(int(parse_qs(scope["query_string"].decode())["blocks"][0])):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
        counts["flood.blocks"] += 1
    await send({"type": "http.response.body", "body": b""})


async def breaks(_scope, _receive, send):
    await answer(send, b"half of it", more=True)
    raise RuntimeError("in the middle")


async def hang(_scope, _receive, send):
    """Begins, and does not hear that its client has gone."""
    await answer(send, b"begun", more=True)
    await asyncio.Event().wait()


async def flooding_socket(_scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "bytes": BLOCK})
        counts["flooding_socket.blocks"] += 1


async def deaf_socket(_scope, receive, send):
    """Takes no frame for as long as it lives."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


async def echoing_socket(_scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message.get("text") or ""))})


ACTS = {
    act.__name__: act
    for act in (count, read, flood, breaks, hang, flooding_socket, deaf_socket, echoing_socket)
}


def main(port, *changes):
    import django  # noqa: PLC0415

    django.setup()
    from embedded.limits import Limits  # noqa: PLC0415
    from embedded.web import serve  # noqa: PLC0415

    changed = {name: float(value) for name, value in (change.split("=") for change in changes)}
    whole = {name: int(value) if value.is_integer() else value for name, value in changed.items()}
    limits = Limits(**{"body_bytes": 2**20} | whole)
    serve("127.0.0.1", int(port), application=f"{__spec__.name}.application", limits=limits)


if __name__ == "__main__":
    main(*sys.argv[1:])
