"""What a run with tools costs beside its model: `python -m benchmarks.tools`. No server is needed.

The model is a coroutine that answers at once, so what is left is the loop: the request, the policy,
the call, and two rows in a Postgres of its own that flushes to disk. `per_step_ms` is one step of a
run by itself, a call of the model and one of a tool; `at_once` are runs of ten steps side by side;
`side_by_side` is what five reading calls of 200 ms take together.
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


async def run(user: Any, chat: Any) -> float:
    """Seconds of one run."""
    from agents.loop import run_agent
    from agents.types import AgentSpec, AgentTask, Limits

    async def no_routes(_name: str) -> tuple[()]:
        return ()

    async def no_rules() -> tuple[()]:
        return ()

    async def nothing(_task: Any) -> None:
        return None

    limits = Limits(steps=STEPS + 2, calls=1000, tokens=10**9)
    agent = AgentSpec(max_passages=0, tools=("bench_double", "bench_wait"), limits=limits)
    task = AgentTask(agent, user, "Go.", turn_id=uuid.uuid4())
    began = time.perf_counter()
    steps = run_agent(task, chat=chat, routes=no_routes, approved=nothing, rules=no_rules)
    last = [step async for step in steps][-1]
    assert last.text == "Done.", last
    return time.perf_counter() - began


async def measure(user: Any) -> dict[str, Any]:
    one = ("bench_double", {})
    for _ in range(3):  # connections, caches
        await run(user, model(STEPS, one))
    bare = median([await run(user, model(0, one)) for _ in range(ROUNDS)])
    whole = median([await run(user, model(STEPS, one)) for _ in range(ROUNDS)])
    began = time.perf_counter()
    took = await asyncio.gather(*(run(user, model(STEPS, one)) for _ in range(RUNS)))
    at_once = time.perf_counter() - began
    slow = [("bench_wait", {"seconds": PAUSE + n / 1000}) for n in range(CALLS)]
    together = await run(user, model(1, *slow))
    per_step = (whole - bare) / STEPS * 1000
    return {
        "per_step_ms": round(per_step, 2),
        "goal_ms": GOAL_MS,
        "at_once": {
            "runs": RUNS,
            "steps": STEPS,
            "seconds": round(at_once, 2),
            "slowest_s": round(max(took), 2),
            "steps_a_second": round(RUNS * STEPS / at_once),
        },
        "side_by_side": {"calls": CALLS, "each_s": PAUSE, "took_s": round(together, 3)},
        "is_met": per_step < GOAL_MS and together < 2 * PAUSE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with django_on_a_throwaway_home():
        from accounts.models import User

        register()
        found = asyncio.run(measure(User.objects.create_user("bench@example.org")))
    text = json.dumps(found, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
