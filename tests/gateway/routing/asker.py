"""A process that asks one endpoint again and again: `asker.py URL ENDPOINT LIMIT CALLS LEASE`.

Prints "ready", waits for a line, and prints the outcome of each call. What the cross-process tests
start, and kill.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

import django  # noqa: E402

django.setup()

from gateway.chat import stream_chat  # noqa: E402
from gateway.routing import shared  # noqa: E402
from gateway.types import ChatRequest, PromptMessage, Route  # noqa: E402
from gateway.upstream.session import close_pool  # noqa: E402


async def ask(route, calls):
    async def routes(_name):
        return (route,)

    async def record(call):
        print(call.outcome, flush=True)

    async def one(n):
        request = ChatRequest("m", (PromptMessage("user", str(n)),))
        async for _item in stream_chat(request, routes=routes, record=record):
            pass

    await asyncio.gather(*map(one, range(calls)))
    await close_pool()


def main(url, endpoint, limit, calls, lease):
    shared.LEASE_SECONDS = float(lease)
    route = Route(
        "m", "up", "one", url, endpoint_id=UUID(endpoint), max_concurrency=int(limit),
        queue_timeout=300,
    )  # fmt: skip
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(ask(route, int(calls)))


if __name__ == "__main__":
    main(*sys.argv[1:])
