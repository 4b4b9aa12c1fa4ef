"""What a routing decision costs: `python -m benchmarks.routing`. No server is needed.

A decision is all that `stream_chat` does between the routes and the first call: what the request
needs, who may answer, what is known of them, and the order of the strategy with its sentence. The
row `complexity` is what an alias adds: what is seen of the question, its score, and its sentence.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STRATEGIES = ("priority", "weighted", "least_busy", "fastest", "cheapest")
SIZES = (1, 3, 10)  # deployments of the model
GOAL_US = 50


def prepare() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"PARLEY_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        sys.path.insert(0, str(ROOT / "platform"))
        import django

        django.setup()


def routes_of(strategy: str, count: int) -> tuple[Any, ...]:
    from gateway.types import Route

    return tuple(
        Route(
            "model", "up", f"endpoint {n}", f"http://10.0.0.{n}/v1",
            endpoint_id=uuid.uuid4(), strategy=strategy, priority=n // 2, weight=n + 1,
            prompt_price=Decimal(n), completion_price=Decimal(2 * n), context_length=32_000,
            max_concurrency=64, labels=frozenset({"eu", "internal"}),
        )
        for n in range(count)
    )  # fmt: skip


async def measure(strategy: str, count: int, rounds: int) -> float:
    """Microseconds of CPU for one decision: the best of many batches, as in timeit."""
    from gateway.routing.board import current_board
    from gateway.routing.course import Course
    from gateway.types import ChatRequest, PromptMessage

    messages = tuple(PromptMessage("user", "a question of usual length " * 9) for _ in range(20))
    request = ChatRequest("model", messages, required_labels=frozenset({"eu"}))
    routes = routes_of(strategy, count)
    board = current_board()
    for n, route in enumerate(routes):
        board.look([route])
        health = board.health[route.endpoint_id]
        health.succeeded(time.time(), 100.0 + n, 50.0 + n)
    board._looked_at = time.monotonic() + 3600  # reading goes on in the background, elsewhere
    return best(lambda: Course(request, routes, board), rounds)


def measure_complexity(count: int, rounds: int) -> float:
    """Microseconds to judge a question of usual length and order the deployments by that."""
    from gateway.complexity.aliases import Alias, fingerprint
    from gateway.complexity.choosing import judge, ordered, why
    from gateway.complexity.features import features_of, question_of
    from gateway.complexity.rules import Rule, parse
    from gateway.complexity.score import TIERS, Settings
    from gateway.routing.needs import needs_of
    from gateway.types import ChatRequest, PromptMessage

    text = "How does a lease differ from a lock, and when must it be renewed, if at all? "
    messages = tuple(PromptMessage("user", text) for _ in range(20))
    request = ChatRequest("auto", messages, question=text)
    routes = routes_of("priority", count)
    tiered = [replace(route, tier=TIERS[n % 3]) for n, route in enumerate(routes)]
    alias = Alias(uuid.uuid4(), "auto", Settings(), (Rule(parse("code\ntokens > 400"), "hard"),))
    needs = needs_of(request)  # a part of every decision

    def decide() -> None:
        question = question_of(request)
        features = features_of(request, question, needs)
        verdict = judge(alias, features, fingerprint(question))
        why(verdict, ordered(tiered, verdict.tier, needs)[0])

    return best(decide, rounds)


def best(decide: Callable[[], object], rounds: int) -> float:
    batches = []
    for _ in range(20):
        began = time.process_time()
        for _ in range(rounds):
            decide()
        batches.append((time.process_time() - began) / rounds * 1e6)
    return min(batches)


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Microseconds of one routing decision; the goal is below {GOAL_US}")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=100).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--rounds", type=int, default=500, help="decisions in a batch")
    options = parser.parse_args(arguments)
    prepare()
    rows: list[dict[str, Any]] = []
    for strategy in STRATEGIES:
        costs = {
            f"{n} deployments": round(asyncio.run(measure(strategy, n, options.rounds)), 1)
            for n in SIZES
        }
        rows.append({"strategy": strategy} | costs)
    costs = {f"{n} deployments": round(measure_complexity(n, options.rounds), 1) for n in SIZES}
    rows.append({"strategy": "complexity"} | costs)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
