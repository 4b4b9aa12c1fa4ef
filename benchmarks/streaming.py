"""Streaming end to end: `python -m benchmarks.streaming`.

A question goes over a real socket into a real web process, becomes rows in Postgres, is claimed by
a real runner, answered by a paced endpoint, logged, and streamed back; permissions are checked as
always. Every answer is compared with what the endpoint sent, to the character. Searching documents
is switched off in the agent that answers: retrieval has a benchmark of its own. So are titles: they
are a second answer. With `--peers` LiteLLM's proxy answers the same questions in the same run.

Each scenario is measured three times, and of each figure the median is shown. What is added to the
first token is its time beyond that of the endpoint when it is asked directly in the same run,
percentile by percentile.

On Linux with two or more cores web, runner and Redis share one core, as many people's small server
would; Postgres, the endpoint and the client use the others. Postgres is shown apart.
"""

import argparse
import asyncio
import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.gateway import upstream
from benchmarks.home import ROOT, django_on_a_throwaway_home
from benchmarks.sockets import Answer, Tab, open_tabs
from benchmarks.upstream import text_of


@dataclass(frozen=True)
class Scenario:
    name: str
    streams: int
    tokens: int
    pause: int  # milliseconds between tokens
    first: int  # milliseconds before the first
    ramp: float  # seconds over which the questions are asked
    rounds: int = 1
    gap: float = 0.0  # seconds before each question, in which nobody asks anything

    @property
    def model(self) -> str:
        return f"t{self.tokens}-i{self.pause}-f{self.first}"


SCENARIOS = [
    Scenario("B 50 x 200 at 20 ms", 50, 200, 20, 150, 1.0),
    Scenario("C 200 x 200 at 20 ms", 200, 200, 20, 150, 2.0),
    Scenario("D 32 x 500, no delay", 32, 500, 0, 0, 0.0, rounds=3),
    Scenario("P one person, every 7 s", 1, 200, 0, 150, 0.0, rounds=3, gap=7.0),
]
REPEATS = 3
LIMITS = "120/m/person,120/m/token,12000/m/address"  # the usual ones; all are at one address
PEOPLE = max(scenario.streams for scenario in SCENARIOS)


def prepare(url: str) -> list[str]:
    """People with sessions, and an agent for each shape of answer; the cookies of the people."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import Team, User
    from accounts.services import share
    from agents.models import Agent
    from gateway.models import Deployment, Endpoint, Model

    admin = User.objects.create_superuser("bench@example.org", "unused pass phrase")
    everyone, _ = Team.objects.get_or_create(is_everyone=True, defaults={"name": "Everyone"})
    endpoint = Endpoint.objects.create(name="bench", base_url=url, max_concurrency=1000)
    for name in {"t1", *(scenario.model for scenario in SCENARIOS)}:
        model = Model.objects.create(name=name)
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name=name)
        agent = Agent.objects.create(
            owner=admin, name=name, slug=name, model_name=name, max_passages=0, is_builtin=True
        )
        share(agent, everyone, "reader", by=admin)
    cookies = []
    for number in range(PEOPLE):
        user = User(email=f"p{number}@example.org")
        user.set_unusable_password()
        user.save()
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookies.append(f"{name}={client.cookies[name].value}")
    return cookies


@contextmanager
def process(*command: str, core: int | None) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT)
    if core is not None:
        psutil.Process(started.pid).cpu_affinity([core])
    try:
        yield started
    finally:
        started.terminate()
        started.wait(40)


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """User and system time of the processes and what they have forked."""
    spent = 0.0
    for parent in processes:
        for one in [parent, *parent.children(recursive=True)]:
            times = one.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


async def run(scenario: Scenario, tabs: list[Tab], parts: dict[str, psutil.Process]) -> list[Any]:
    """All answers of a scenario, its wall time, and the CPU seconds of each part."""
    asked = tabs[: scenario.streams]
    await asked[0].ask(text="Warm up", agent=scenario.model)
    for few in (asked[:1], asked, asked):  # at once too: connections are opened as they are needed
        await asyncio.gather(*(tab.ask(text="Warm up", agent="t1") for tab in few))
    gc.collect()
    gc.disable()
    before = {name: cpu_seconds([part]) for name, part in parts.items()}
    began = time.perf_counter()

    async def person(number: int, tab: Tab) -> list[Answer]:
        await asyncio.sleep(scenario.ramp * number / scenario.streams)
        answers = []
        for n in range(scenario.rounds):
            await asyncio.sleep(scenario.gap)
            answers.append(await tab.ask(text=f"Question {n}", agent=scenario.model))
        return answers

    people = [person(n, tab) for n, tab in enumerate(tabs[: scenario.streams])]
    answers = [answer for found in await asyncio.gather(*people) for answer in found]
    seconds = max(answer.ended for answer in answers) - began
    await asyncio.sleep(0.5)  # what is written afterwards counts
    spent = {name: cpu_seconds([part]) - before[name] for name, part in parts.items()}
    gc.enable()
    return [answers, seconds, spent]


def first_tokens(answers: Sequence[Answer]) -> tuple[float, float]:
    """The median and the 95th percentile of milliseconds until the first word, interpolated."""
    waited = [(answer.first - answer.asked) * 1000 for answer in answers]
    return statistics.median(waited), statistics.quantiles(waited, n=20, method="inclusive")[-1]


def figures(
    scenario: Scenario,
    answers: list[Answer],
    seconds: float,
    spent: dict[str, float],
    *,
    direct: tuple[float, float],
    who: str = "Parley",
    text: Callable[[Answer], str] = Answer.text,
) -> dict[str, Any]:
    expected = text_of(scenario.tokens)
    wrong = [answer for answer in answers if text(answer) != expected]
    if wrong:
        raise SystemExit(f"{scenario.name}: {len(wrong)} answers differ: {wrong[0].frames[-1]!r}")
    median, late = first_tokens(answers)
    tokens = scenario.tokens * len(answers)
    own = sum(seconds for name, seconds in spent.items() if name != "postgres")
    apart = {name: spent.get(name) for name in ("web", "runner", "redis", "postgres")}
    return {
        "scenario": scenario.name,
        "who": who,
        "load": round(os.getloadavg()[0], 1),
        "tokens_per_second": round(tokens / seconds),
        "tokens_per_core_second": round(tokens / own),
        "first_token_added_p50_ms": round(median - direct[0], 1),
        "first_token_added_p95_ms": round(late - direct[1], 1),
        "direct_p50_ms": round(direct[0] - scenario.first, 1),
        "direct_p95_ms": round(direct[1] - scenario.first, 1),
        "cpu_ms_per_1000_tokens": round(own / tokens * 1e6, 1),
        **{
            f"{name}_cpu_ms": None if cpu is None else round(cpu / tokens * 1e6, 1)
            for name, cpu in apart.items()
        },
        "frames_per_answer": round(sum(len(a.frames) for a in answers) / len(answers), 1),
        "exact_answers": len(answers),
    }


def middle(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each figure of a scenario the median of its rounds."""
    return {
        name: statistics.median(row[name] for row in rows)
        if isinstance(value, int | float)
        else value
        for name, value in rows[0].items()
    }


def find_server(name: str, folder: Path) -> psutil.Process:
    """The Postgres or Redis that this process has started."""
    for child in psutil.Process().children():
        if name in child.name() or name in " ".join(child.cmdline()[:1]):
            return child
    raise SystemExit(f"{name} of {folder} was not found")


async def measure(
    port: int,
    cookies: list[str],
    parts: dict[str, psutil.Process],
    directs: dict[Scenario, tuple[float, float]],
) -> list[Any]:
    tabs = await open_tabs(port, cookies)
    rows = []
    for scenario, direct in directs.items():
        rounds = [await run(scenario, tabs, parts) for _ in range(REPEATS)]
        rows.append(middle([figures(scenario, *one, direct=direct) for one in rounds]))
    for tab in tabs:
        tab.transport.close()
    return rows


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the product did not become ready within a minute")


async def warm_up(port: int, scenario: Scenario) -> None:
    """As Parley is warmed up."""
    from benchmarks.peers.proxy import open_readers

    readers = await open_readers(port, scenario.streams)
    await readers[0].ask(scenario.model)
    for few in (readers[:1], readers, readers):
        await asyncio.gather(*(reader.ask("t1") for reader in few))
    for reader in readers:
        reader.transport.close()  # it would be closed after five idle seconds


async def read_scenario(port: int, scenario: Scenario) -> list[Answer]:
    """Its answers from an endpoint, or from what passes on what an endpoint says."""
    from benchmarks.peers.proxy import open_readers

    readers = await open_readers(port, scenario.streams)
    gc.collect()
    gc.disable()

    async def person(number: int, reader: Any) -> list[Answer]:
        await asyncio.sleep(scenario.ramp * number / scenario.streams)
        answers = []
        for _ in range(scenario.rounds):
            if scenario.gap:
                await asyncio.sleep(scenario.gap)
                reader.transport.close()
                (reader,) = await open_readers(port, 1)
            answers.append(await reader.ask(scenario.model))
        reader.transport.close()
        return answers

    people = [person(number, reader) for number, reader in enumerate(readers)]
    answers = [answer for found in await asyncio.gather(*people) for answer in found]
    gc.enable()
    return answers


async def measure_direct(port: int, scenario: Scenario) -> tuple[float, float]:
    """The first token of the endpoint itself, asked by as light a client."""
    rounds = []
    for _ in range(REPEATS):
        await warm_up(port, scenario)
        rounds.append(first_tokens(await read_scenario(port, scenario)))
    return statistics.median(one for one, _ in rounds), statistics.median(one for _, one in rounds)


async def measure_peer(
    port: int, peer: psutil.Process, directs: dict[Scenario, tuple[float, float]]
) -> list[Any]:
    """LiteLLM's rows; everything it does is in one process."""
    from benchmarks.peers.proxy import text_in

    rows = []
    for scenario, direct in directs.items():
        rounds = []
        for _ in range(REPEATS):
            await warm_up(port, scenario)
            before = cpu_seconds([peer])
            answers = await read_scenario(port, scenario)
            seconds = max(one.ended for one in answers) - min(one.asked for one in answers)
            await asyncio.sleep(0.5)
            spent = {"proxy": cpu_seconds([peer]) - before}
            figure = figures(
                scenario, answers, seconds, spent, direct=direct, who="LiteLLM", text=text_in
            )
            rounds.append(figure)
        rows.append(middle(rounds))
    return rows


def measure_product(
    port: int, scenarios: Sequence[Scenario], *, with_peers: bool = False
) -> list[dict[str, Any]]:
    import uvloop

    from benchmarks.peers.proxy import is_installed, proxy

    with_peers = with_peers and is_installed()
    os.environ["PARLEY_WRITE_TITLES"] = "false"
    os.environ["PARLEY_LIMITS_TURNS"] = LIMITS
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    core = cores[-1] if len(cores) > 1 else None
    with django_on_a_throwaway_home() as folder, upstream() as url:
        cookies = prepare(url)
        redis, postgres = find_server("redis-server", folder), find_server("postgres", folder)
        if core is not None:
            for other in (psutil.Process(), *psutil.Process().children(recursive=True)):
                other.cpu_affinity(cores[:-1])  # the client, the endpoint, Postgres
            redis.cpu_affinity([core])
        endpoint = int(url.rpartition(":")[2].partition("/")[0])
        directs = {one: uvloop.run(measure_direct(endpoint, one)) for one in scenarios}
        with (
            process("serve", "--port", str(port), core=core) as web,
            process("runner", core=core) as runner,
        ):
            wait_until_ready(port)
            parts = {
                "web": psutil.Process(web.pid),
                "runner": psutil.Process(runner.pid),
                "redis": redis,
                "postgres": postgres,
            }
            rows = uvloop.run(measure(port, cookies, parts, directs))
        if with_peers:
            port, models = free_port(), ["t1", *(scenario.model for scenario in scenarios)]
            with proxy(folder, port, url, models, core) as peer:
                rows += uvloop.run(measure_peer(port, peer, directs))
        return rows


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Streaming end to end; CPU in ms for 1,000 tokens, Postgres apart")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "scenario" else "right")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=170).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--port", type=int, help="of the web process (any free one)")
    parser.add_argument("--peers", action="store_true", help="LiteLLM beside it, in the same run")
    parser.add_argument("--only", default="BCD", help="the scenarios by their letters (BCDP)")
    options = parser.parse_args(arguments)
    chosen = [scenario for scenario in SCENARIOS if scenario.name[0] in options.only]
    rows = measure_product(options.port or free_port(), chosen, with_peers=options.peers)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
