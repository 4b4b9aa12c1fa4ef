"""What budgets cost a turn: `python -m benchmarks.budgets`. No server is needed.

200 turns run at once, on a Postgres of their own. Each counts for five budgets (the installation,
two teams, the person, the token), so all of them meet in one row. It reserves, speaks for some
seconds, settles, and begins anew. `reserve + settle` is what the two steps of a turn took together,
from the coroutine that waits; `undefined` is what a call costs where no budget is defined.
"""

import argparse
import asyncio
import json
import random
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home
from benchmarks.retrieval import percentile

TURNS, SPEAKING = 200, (1.0, 5.0)  # at once; seconds of an answer
GOAL_MS = 3.0
TEAMS = [uuid.UUID(int=n) for n in (1, 2, 3)]


def define() -> None:
    from accounts.models import Budget

    for scope in ("installation", "team", "user", "token"):
        Budget.objects.create(name=scope, scope=scope, unit="tokens", limit=10**12)


def payers() -> list[Any]:
    from gateway.types import Payer

    return [
        Payer(uuid.uuid4(), None, uuid.uuid4(), (TEAMS[n % 3], TEAMS[(n + 1) % 3]), "chat")
        for n in range(TURNS)
    ]


async def one_turn(payer: Any, until: float, took: list[float]) -> None:
    from accounts.budgets.keeper import BUDGETS
    from gateway.budget import Demand
    from gateway.types import TokenUsage

    rng = random.Random(payer.account_id.int)
    demand = Demand(payer, "model", prompt_tokens=1000, completion_tokens=1000)
    await asyncio.sleep(rng.uniform(0, SPEAKING[1]))
    while time.perf_counter() < until:
        began = time.perf_counter()
        hold = await BUDGETS.reserve(demand)
        reserved = time.perf_counter()
        await asyncio.sleep(rng.uniform(*SPEAKING))
        settling = time.perf_counter()
        if hold is not None:
            await BUDGETS.settle(hold, TokenUsage(990, 400), None)
        took.append((reserved - began + time.perf_counter() - settling) * 1000)


async def turns(seconds: float, warming: float) -> list[float]:
    everybody, cold, took = payers(), list[float](), list[float]()
    await asyncio.gather(*(one_turn(one, time.perf_counter() + warming, cold) for one in everybody))
    await asyncio.gather(*(one_turn(one, time.perf_counter() + seconds, took) for one in everybody))
    return took


def summary(took: list[float]) -> dict[str, Any]:
    return {
        "turns": len(took),
        "p50_ms": round(percentile(took, 0.5), 3),
        "p95_ms": round(percentile(took, 0.95), 3),
        "p99_ms": round(percentile(took, 0.99), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with django_on_a_throwaway_home():
        undefined = summary(asyncio.run(turns(2, 0)))
        define()
        defined = summary(asyncio.run(turns(asked.seconds, 6)))
        check()
    found = {"at_once": TURNS, "undefined": undefined, "reserve_and_settle": defined}
    found |= {"goal_ms": GOAL_MS, "is_met": defined["p95_ms"] < GOAL_MS}
    text = json.dumps(found, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


def check() -> None:
    """All was settled, to the token."""
    from accounts.models import BudgetBalance, BudgetHold

    assert not BudgetHold.objects.exists()
    whole = BudgetBalance.objects.get(budget__scope="installation")
    people = BudgetBalance.objects.filter(budget__scope="user")
    assert whole.held == 0
    assert whole.settled == sum(one.settled for one in people)


if __name__ == "__main__":
    main()
