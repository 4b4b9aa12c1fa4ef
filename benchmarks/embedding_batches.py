"""Concurrent requests of one text each, sent together and one by one.

`python -m benchmarks.embedding_batches`. The server computes one call at a time, as one processor
does: some milliseconds for the call and a little for each text. Both rows take the same way
through the gateway; without batches a request holds one text.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REQUESTS = 200
ROUNDS = 5
CALL_MS, TEXT_MS = 10.0, 0.5
DIMENSIONS = 384


def serve() -> None:
    """The server, in a process of its own; prints its port."""
    from aiohttp import web

    processor = asyncio.Semaphore(1)
    vector = [round((n % 7 - 3) / 7, 3) for n in range(DIMENSIONS)]

    async def embed(request: web.Request) -> web.Response:
        count = len((await request.json())["input"])
        async with processor:
            await asyncio.sleep((CALL_MS + TEXT_MS * count) / 1000)
        data = [{"index": n, "embedding": vector} for n in range(count)]
        return web.json_response({"data": data, "usage": {"prompt_tokens": count}})

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/embeddings", embed)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def upstream() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.embedding_batches", "--serve"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


def prepare() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PARLEY_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        sys.path.insert(0, str(ROOT / "platform"))
        import django

        django.setup()


async def measure(url: str, most: int) -> dict[str, Any]:
    """Calls and times of REQUESTS at once, with at most `most` texts in a call."""
    from gateway.embedding import batching
    from gateway.embedding.remote import RemoteEmbedder
    from gateway.models import Model
    from gateway.types import CallRecord, Route
    from gateway.upstream.session import close_pool

    calls: list[CallRecord] = []

    async def record(call: CallRecord, _shares: Any) -> None:
        calls.append(call)

    batching.REQUEST_TEXTS = most
    routes = [Route("m", "up", "bench", url)]
    embedder = RemoteEmbedder(Model(name="m"), routes, remember=False, record=record)

    async def ask(text: str) -> float:
        began = time.perf_counter()
        await embedder.embed_async([text])
        return time.perf_counter() - began

    began = time.perf_counter()
    took = await asyncio.gather(*(ask(f"text {n}") for n in range(REQUESTS)))
    wall = time.perf_counter() - began
    await close_pool()
    return {
        "calls": len(calls),
        "seconds": wall,
        "median": statistics.median(took),
        "p95": statistics.quantiles(took, n=20)[-1],
    }


def rows_of(url: str, rounds: int) -> list[dict[str, Any]]:
    from gateway.embedding.batching import REQUEST_TEXTS

    rows = []
    for name, most in (("together", REQUEST_TEXTS), ("one by one", 1)):
        found = [asyncio.run(measure(url, most)) for _ in range(rounds)]
        middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
        rows.append(
            {
                f"{REQUESTS} requests": name,
                "calls": round(middle["calls"]),
                "all, ms": round(middle["seconds"] * 1000),
                "median, ms": round(middle["median"] * 1000),
                "p95, ms": round(middle["p95"] * 1000),
            }
        )
    return rows


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"A call costs {CALL_MS:g} ms and {TEXT_MS:g} ms for each text")
    for name in rows[0]:
        table.add_column(name, justify="right" if name != f"{REQUESTS} requests" else "left")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=100).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--serve", action="store_true", help="be the server")
    options = parser.parse_args(arguments)
    if options.serve:
        serve()
        return
    prepare()
    with upstream() as url:
        rows = rows_of(url, options.rounds)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
