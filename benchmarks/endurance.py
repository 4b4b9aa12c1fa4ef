"""What stays after many answers, and many at once: `python -m benchmarks.endurance`.

Requests: 25,000 short answers on 40 sockets, and the memory of web and runner after a warm-up and
after the last. Running: 500 turns at once on one runner, half a minute each. Every answer is
compared with what the endpoint sent.
"""

import argparse
import asyncio
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import streaming
from benchmarks.gateway import upstream
from benchmarks.home import django_on_a_throwaway_home
from benchmarks.sockets import Tab, open_tabs
from benchmarks.streaming import Scenario

TABS = 40
WARM_UP = 2_000  # requests after which pools, caches and the allocator have what they want
RUNNING = Scenario("500 running turns", 500, 300, 100, 150, 10.0)
SHORT = Scenario("requests", TABS, 8, 0, 0, 0.0)


def megabytes(part: psutil.Process) -> float:
    return round(part.memory_info().rss / 2**20, 1)


async def ask_many(tabs: Sequence[Tab], requests: int) -> int:
    """That many questions, each tab's next when its last is answered; how many were right."""
    expected, right = streaming.text_of(SHORT.tokens), 0
    numbers: Iterator[int] = iter(range(requests))

    async def person(tab: Tab) -> None:
        nonlocal right
        for number in numbers:
            answer = await tab.ask(text=f"Question {number}", agent=SHORT.model)
            right += answer.text() == expected

    await asyncio.gather(*map(person, tabs))
    return right


async def endure(
    port: int, cookies: list[str], parts: dict[str, psutil.Process], requests: int
) -> list[dict[str, Any]]:
    own = {name: parts[name] for name in ("web", "runner")}
    tabs = await open_tabs(port, cookies[:TABS])
    await ask_many(tabs, WARM_UP)
    rows = []
    before = {name: megabytes(part) for name, part in own.items()}
    spent = streaming.cpu_seconds([*own.values(), parts["redis"]])
    right = await ask_many(tabs, requests)
    spent = streaming.cpu_seconds([*own.values(), parts["redis"]]) - spent
    after = {name: megabytes(part) for name, part in own.items()}
    rows.append(_row(f"{requests:,} requests", right, before, after, spent / requests * 1000))
    for tab in tabs:
        tab.transport.close()
    if len(cookies) >= RUNNING.streams:
        rows.append(await run_at_once(port, cookies, own))
    return rows


async def run_at_once(
    port: int, cookies: list[str], own: dict[str, psutil.Process]
) -> dict[str, Any]:
    tabs = await open_tabs(port, cookies[: RUNNING.streams])
    before = {name: megabytes(part) for name, part in own.items()}
    answers, _, spent = await streaming.run(RUNNING, tabs, own)
    expected = streaming.text_of(RUNNING.tokens)
    right = sum(answer.text() == expected for answer in answers)
    after = {name: megabytes(part) for name, part in own.items()}
    cpu = sum(spent.values()) / RUNNING.streams * 1000
    return _row(RUNNING.name, right, before, after, cpu)


def _row(
    what: str, right: int, before: dict[str, float], after: dict[str, float], cpu: float
) -> dict[str, Any]:
    return {
        "what": what,
        "load": round(os.getloadavg()[0], 1),
        "exact_answers": right,
        "cpu_ms_per_turn": round(cpu, 1),
        **{f"{name}_mb_before": before[name] for name in before},
        **{f"{name}_mb_after": after[name] for name in after},
    }


def measure(requests: int, people: int) -> list[dict[str, Any]]:
    import uvloop

    os.environ |= {"PARLEY_WRITE_TITLES": "false", "PARLEY_LIMITS_TURNS": "1000000/m/person"}
    streaming.PEOPLE = people
    streaming.SCENARIOS[:] = [SHORT, RUNNING]
    with django_on_a_throwaway_home() as folder, upstream() as url:
        cookies = streaming.prepare(url)
        port = streaming.free_port()
        with (
            streaming.process("serve", "--port", str(port), core=None) as web,
            streaming.process("runner", core=None) as runner,
        ):
            streaming.wait_until_ready(port)
            parts = {
                "web": psutil.Process(web.pid),
                "runner": psutil.Process(runner.pid),
                "redis": streaming.find_server("redis-server", folder),
            }
            return uvloop.run(endure(port, cookies, parts, requests))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--requests", type=int, default=25_000)
    parser.add_argument("--people", type=int, default=RUNNING.streams, help="below 500: no 500")
    options = parser.parse_args(arguments)
    rows = measure(options.requests, max(options.people, TABS))
    for name in itertools.chain(*(row for row in rows[:1])):
        print(f"{name:20}", *(f"{row[name]!s:>20}" for row in rows))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
