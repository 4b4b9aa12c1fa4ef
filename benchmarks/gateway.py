"""The gateway's stream against the openai SDK's, on one server: `python -m benchmarks.gateway`.

Each reader runs alone in a process of its own on uvloop, with as many answers at once as the row
says. CPU is the reader's; first-token times are what the reader adds to the server's own delay.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# name: (answers at once, tokens, ms between tokens, ms before the first)
SCENARIOS = {
    "B 50 × 200 at 20 ms": (50, 200, 20, 150),
    "C 200 × 200 at 20 ms": (200, 200, 20, 150),
    "D 32 × 500, no delay": (32, 500, 0, 0),
}
READERS = ("gateway", "openai")

Read = Callable[[str], AsyncIterator[str]]


@contextmanager
def upstream() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.upstream", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


def gateway_reader(url: str) -> Read:
    """`stream_chat` with its route given, so that no database is needed."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PARLEY_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        sys.path.insert(0, str(ROOT / "platform"))
        import django

        django.setup()
    from gateway.chat import stream_chat
    from gateway.types import CallRecord, ChatRequest, PromptMessage, Route, TextDelta

    async def routes(name: str) -> tuple[Route, ...]:
        return (Route(name, name, "bench", url),)

    async def record(call: CallRecord) -> None:
        assert call.outcome == "completed"

    async def read(model: str) -> AsyncIterator[str]:
        request = ChatRequest(model, (PromptMessage("user", "hi"),))
        async for item in stream_chat(request, routes=routes, record=record):
            if isinstance(item, TextDelta):
                yield item.text

    return read


def openai_reader(url: str) -> Read:
    import httpx2
    from openai import AsyncOpenAI

    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=1000)
    http = httpx2.AsyncClient(limits=limits, timeout=300)
    client = AsyncOpenAI(base_url=url, api_key="-", max_retries=0, http_client=http)

    async def read(model: str) -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for event in stream:
            if event.choices and (text := event.choices[0].delta.content):
                yield text

    return read


async def run(read: Read, scenario: str) -> dict[str, Any]:
    from benchmarks.upstream import text_of

    answers, tokens, pause, first = SCENARIOS[scenario]
    expected = text_of(tokens)
    delays: list[float] = []
    deltas = 0

    async def one() -> None:
        nonlocal deltas
        began, pieces = time.perf_counter(), []
        async for text in read(f"t{tokens}-i{pause}-f{first}"):
            if not pieces:
                delays.append((time.perf_counter() - began) * 1000 - first)
            pieces.append(text)
        deltas += len(pieces)
        assert "".join(pieces) == expected

    async def warm() -> None:
        async for _ in read("t1"):
            pass

    await asyncio.gather(*(warm() for _ in range(answers)))  # pools are full of connections
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(answers)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    total = answers * tokens
    return {
        "tokens_per_second": round(total / seconds),
        "cpu_ms_per_1000_tokens": round(cpu / total * 1e6, 1),
        "first_token_added_p50_ms": round(statistics.median(delays), 1),
        "first_token_added_p95_ms": round(statistics.quantiles(delays, n=20)[-1], 1),
        "deltas": deltas,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure_here(reader: str, url: str, scenario: str) -> None:
    """One row, printed as JSON: what the parent process starts."""
    import uvloop

    read = {"gateway": gateway_reader, "openai": openai_reader}[reader](url)
    print(json.dumps(uvloop.run(run(read, scenario))))


def measure() -> list[dict[str, Any]]:
    rows = []
    with upstream() as url:
        for scenario in SCENARIOS:
            for reader in READERS:
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.gateway",
                    "--only",
                    reader,
                    url,
                    scenario,
                ]
                result = subprocess.run(
                    command, cwd=ROOT, capture_output=True, text=True, check=True
                )
                figures = json.loads(result.stdout.splitlines()[-1])
                rows.append({"scenario": scenario, "reader": reader} | figures)
    return rows


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Reading a model's stream, one process")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "scenario" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=150).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.only:
        measure_here(*options.only)
        return
    rows = measure()
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
