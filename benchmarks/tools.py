"""What a run with tools costs beside its model: `python -m benchmarks.tools`. No server is needed.

The model is a coroutine that answers at once, so what is left is the loop: the request, the policy,
the call, and two rows in a Postgres of its own that flushes to disk. `per_step_ms` is one step of a
run by itself, a call of the model and one of a tool; `on_one_runner` are a hundred questions of ten
steps each, from the first claim to the last answer, events and all; `side_by_side` is what five
reading calls take together: the slowest, and not the sum. The exit status says whether all three
goals are met.
"""

import argparse
import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.home import django_on_a_throwaway_home

STEPS, RUNS, ROUNDS = 10, 100, 20
PAUSE, CALLS = 0.2, 5  # seconds of a slow call, and how many of them
GOAL_MS = 5.0
PATIENCE = 300.0  # seconds for all runs of a runner


def register() -> None:
    from agents.tools.registry import tool
    from agents.tools.types import Effect, ToolCalling

    async def bench_double(calling: ToolCalling, number: int) -> str:  # noqa: ARG001
        """Twice as much."""
        return str(2 * number)

    async def bench_wait(calling: ToolCalling, seconds: float) -> str:  # noqa: ARG001
        """Wait."""
        await asyncio.sleep(seconds)
        return "done"

    for function in (bench_double, bench_wait):
        tool(title=function.__name__, effect=Effect.READS)(function)


def model(steps: int, *calls: tuple[str, dict[str, Any]]) -> Any:
    """Says which calls it wants as often as there are steps, and then an answer."""
    from gateway.types import Completed, TextDelta, TokenUsage, ToolCall, ToolCalls

    asked = 0

    async def chat(_request: Any) -> AsyncIterator[Any]:
        nonlocal asked
        asked += 1
        if asked <= steps:
            yield ToolCalls(
                tuple(
                    ToolCall(f"{asked}-{n}", name, json.dumps(given | _number(name, asked)))
                    for n, (name, given) in enumerate(calls)
                )
            )
        else:
            yield TextDelta("Done.")
        yield Completed("stop", TokenUsage(100, 20), "m", "e", 0, 0)

    return chat


def _number(name: str, asked: int) -> dict[str, int]:
    return {"number": asked} if name == "bench_double" else {}


async def no_routes(_name: str) -> tuple[()]:
    return ()


async def no_rules() -> tuple[()]:
    return ()


async def nothing(_task: Any) -> None:
    return None


def asked(task: Any, chat: Any) -> Any:
    """The steps of a run whose model is `chat`, and that waits for nobody else."""
    from agents.loop import run_agent

    return run_agent(task, chat=chat, routes=no_routes, approved=nothing, rules=no_rules)


async def run(user: Any, chat: Any) -> float:
    """Seconds of one run, whose rows are written under the fence of a claim."""
    from agents.types import AgentSpec, AgentTask, Limits
    from events import leases
    from observability.db import run_sync

    limits = Limits(steps=STEPS + 2, calls=1000, tokens=10**9)
    agent = AgentSpec(max_passages=0, tools=("bench_double", "bench_wait"), limits=limits)
    stream = await run_sync(leases.open_stream, uuid.uuid4(), "bench")
    claim = await run_sync(leases.claim_one, stream.pk, "bench", 3600.0)
    task = AgentTask(agent, user, "Go.", turn_id=stream.pk, fence=claim.fence)
    began = time.perf_counter()
    last = [step async for step in asked(task, chat)][-1]
    assert last.text == "Done.", last
    return time.perf_counter() - began


async def on_one_runner(user: Any) -> float:
    """Seconds that a real runner takes for all questions, which wait when it starts."""
    from agents.models import Agent
    from chat.models import Turn
    from chat.services import start_turn
    from chat.turns.runner import Runner
    from observability.db import run_sync

    def ask_all() -> None:
        Agent.objects.create(
            owner=user, name="Bench", slug="bench", max_passages=0,
            tools=["bench_double", "bench_wait"],
            limits={"steps": STEPS + 2, "calls": 1000, "tokens": 10**9},
        )  # fmt: skip
        for _ in range(RUNS):
            start_turn(user, None, "Go.", agent="bench")

    def answered() -> int:
        return Turn.objects.filter(status="completed", answer__text="Done.").count()

    await run_sync(ask_all)
    runner = Runner(lambda task: asked(task, model(STEPS, ("bench_double", {}))))
    began = time.perf_counter()
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(PATIENCE):
        while await run_sync(answered) < RUNS:  # noqa: ASYNC110 - rows of another
            await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    runner.stop()
    await running
    return took


async def measure(user: Any) -> dict[str, Any]:
    one = ("bench_double", {})
    for _ in range(3):  # connections, caches
        await run(user, model(STEPS, one))
    bare = median([await run(user, model(0, one)) for _ in range(ROUNDS)])
    whole = median([await run(user, model(STEPS, one)) for _ in range(ROUNDS)])
    at_once = await on_one_runner(user)
    slow = [("bench_wait", {"seconds": PAUSE + n / 1000}) for n in range(CALLS)]
    together = await run(user, model(1, *slow))
    per_step = (whole - bare) / STEPS * 1000
    each = at_once / (RUNS * STEPS) * 1000
    slowest = slow[-1][1]["seconds"]
    return {
        "per_step_ms": round(per_step, 2),
        "goal_ms": GOAL_MS,
        "on_one_runner": {
            "runs": RUNS,
            "steps": STEPS,
            "seconds": round(at_once, 2),
            "per_step_ms": round(each, 2),
            "steps_a_second": round(RUNS * STEPS / at_once),
        },
        "side_by_side": {
            "calls": CALLS,
            "slowest_s": slowest,
            "sum_s": round(sum(given["seconds"] for _name, given in slow), 3),
            "took_s": round(together, 3),
        },
        "is_met": per_step < GOAL_MS and each < GOAL_MS and together < slowest + PAUSE / 2,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    with django_on_a_throwaway_home():
        from accounts.models import User

        register()
        found = asyncio.run(measure(User.objects.create_user("bench@example.org")))
    text = json.dumps(found, indent=2)
    print(text)
    if wanted.json:
        wanted.json.write_text(text + "\n")
    return 0 if found["is_met"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
