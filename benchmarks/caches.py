"""What a cache costs and spares: `python -m benchmarks.caches`. On servers of its own.

A hit near (in the process) and in Redis, a miss that is stored, each of a small and a larger value;
64 vectors at once; a bare round trip to Redis, to compare with; and a stampede: 500 equal requests
in four processes at once, which must be one call.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.home import ROOT, django_on_a_throwaway_home

SIZES = {"1 kB": 1000, "64 kB": 64_000}
GOAL_MS = 2.0  # of a hit
PROCESSES, EACH = 4, 125


async def timed(question: Callable[[int], Awaitable[Any]], rounds: int) -> list[float]:
    """Milliseconds of each, one after the other."""
    taken = []
    for n in range(rounds):
        began = time.perf_counter()
        await question(n)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def percentiles(taken: Sequence[float]) -> dict[str, float]:
    return {
        "p50_ms": round(statistics.median(taken), 4),
        "p99_ms": round(statistics.quantiles(taken, n=100)[98], 4),
    }


async def measure(rounds: int) -> dict[str, dict[str, float]]:
    from caching.batch import Batch
    from caching.cache import Cache
    from caching.place import close_caches, current_place

    figures = {}
    for label, size in SIZES.items():
        text = ("The lamp turns once every twelve seconds. " * size)[:size]

        async def made(text: str = text) -> dict[str, str]:
            return {"text": text}

        options: dict[str, Any] = {"ttl": 3600, "most_bytes": 256 * 1024 * 1024, "size": 100_000}
        near: Cache[dict[str, str]] = Cache(f"near {label}", near=3600, **options)
        far: Cache[dict[str, str]] = Cache(f"far {label}", near=0, **options)
        await near.fetch("warm", made)
        while not current_place().is_listening:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        for cache in (near, far):
            await cache.fetch("key", made)
        lay = {
            "near": lambda _n, cache=near, made=made: cache.fetch("key", made),
            "redis": lambda _n, cache=far, made=made: cache.fetch("key", made),
            "miss": lambda n, cache=far, made=made: cache.fetch(["key", n], made),
        }
        for layer, question in lay.items():
            figures[f"{layer}, {label}"] = percentiles(await timed(question, rounds))
    ping = await timed(lambda _n: current_place().servers._client.ping(), rounds)
    figures["a bare round trip"] = percentiles(ping)
    vectors: Cache[bytes] = Cache("many", ttl=3600, most_bytes=64 * 1024 * 1024, size=100_000)
    keys = list(range(64))
    batch = await Batch.recall(vectors, keys)
    await batch.keep({key: os.urandom(1536) for key in keys})
    recall = await timed(lambda _n: Batch.recall(vectors, keys), rounds // 10)
    figures["64 vectors, redis"] = percentiles(recall)
    await close_caches()
    return figures


def stampede() -> dict[str, Any]:
    """All processes ask at the same moment; the call takes 200 ms."""
    began = int(time.time()) + 8
    asked = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.caches", "--ask-at", str(began)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    lines = [json.loads(process.communicate()[0].splitlines()[-1]) for process in asked]
    return {
        "requests": PROCESSES * EACH,
        "calls": sum(line["calls"] for line in lines),
        "slowest_ms": max(line["ms"] for line in lines),
    }


async def ask_at(moment: float) -> None:
    from caching.cache import Cache
    from caching.place import close_caches, current_place

    calls = 0
    cache: Cache[str] = Cache("stampede", ttl=3600)

    async def call() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.2)
        return "answer"

    await cache.fetch(["warm", os.getpid()], call)
    calls = 0
    while not current_place().is_listening:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    await asyncio.sleep(max(0.0, moment - time.time()))
    began = time.perf_counter()
    await asyncio.gather(*(cache.fetch("the same", call) for _ in range(EACH)))
    print(json.dumps({"calls": calls, "ms": round((time.perf_counter() - began) * 1000, 1)}))
    await close_caches()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask-at", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.ask_at:
        sys.path.insert(0, str(ROOT / "platform"))
        import django

        django.setup()
        asyncio.run(ask_at(options.ask_at))
        return 0
    with django_on_a_throwaway_home():
        figures = asyncio.run(measure(options.rounds))
        rush = stampede()
    for name, row in figures.items():
        print(f"{name:20} p50 {row['p50_ms']:8.3f} ms   p99 {row['p99_ms']:8.3f} ms")
    print(f"stampede: {rush['requests']} requests, {rush['calls']} call, "
          f"the slowest answer after {rush['slowest_ms']} ms")  # fmt: skip
    is_met = rush["calls"] == 1 and all(
        row["p50_ms"] < GOAL_MS for name, row in figures.items() if not name.startswith("miss")
    )
    if options.json:
        options.json.write_text(json.dumps({"layers": figures, "stampede": rush}, indent=1))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
