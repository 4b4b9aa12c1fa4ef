"""What it takes to find an answer that was given before: `python -m benchmarks.reused_answers`.

`look` is the key of a whole prompt (eight passages, a history) and the round trip to Redis that
brings the answer, opened; `state` is the number of what a person may read, of as many documents as
the row says (kept where they change: it should not grow). Searching, which every question does,
comes on top; the model's call is what is saved.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home

ROUNDS = 500
DOCUMENTS = (100, 1_000, 10_000)
GOAL_MS = 2.0


async def times(what: Callable[[], Awaitable[Any]], rounds: int) -> dict[str, float]:
    """Milliseconds: the median and the slowest twentieth."""
    await what()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        await what()
        taken.append((time.perf_counter() - began) * 1000)
    return {
        "p50_ms": round(statistics.median(taken), 3),
        "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 3),
    }


def prompt() -> Any:
    """A prepared question with its passages and its history."""
    from agents.asking import Asked, chat_request
    from agents.history import fitting_history
    from agents.types import AgentSpec, AgentTask, PackedPassage, PastMessage
    from knowledge.types import Passage
    from security.ids import new_id

    class Person:
        pk = new_id()

    text = "The lamp of the lighthouse turns once every twelve seconds. " * 20
    passages = tuple(
        PackedPassage(n, (Passage(new_id(), new_id(), new_id(), "Guide", (), text, 0, 1200, 1, 1),))
        for n in range(1, 9)
    )
    past = (PastMessage("user", "And the horn? " * 9), PastMessage("assistant", "It sounds. " * 90))
    spec = AgentSpec(id=new_id(), reuse="person")
    task = AgentTask(spec, Person(), "How often does the lamp turn?", past * 3)  # type: ignore[arg-type]
    asked = Asked()
    asked.write = partial(chat_request, task, fitting_history(task.history, 2000), passages)
    asked.request, asked.passages = asked.write(), passages
    return task, asked


async def measure_look(rounds: int) -> dict[str, float]:
    from agents.reuse.answers import ANSWERS, DAY, scopes_of
    from agents.reuse.keys import answer_key
    from agents.reuse.types import Answer, now
    from caching.cache import Hit
    from caching.place import close_caches

    task, asked = prompt()
    cache = ANSWERS[DAY]
    key = answer_key(task, asked, "1:1", ())
    found = await cache.find(key, scopes_of(task, cache.field_of(key)))
    if not isinstance(found, Hit):
        async with found as flight:
            await flight.keep(
                Answer("It turns once every twelve seconds [1]. " * 40, "m", "e", now())
            )

    async def look() -> None:
        key = answer_key(task, asked, "1:1", ())
        again = await cache.find(key, scopes_of(task, cache.field_of(key)))
        if not isinstance(again, Hit):
            raise TypeError("It was not found.")

    try:
        return await times(look, rounds)
    finally:
        await close_caches()


def documents(count: int) -> Any:
    """A person who may read so many documents."""
    from accounts.models import User
    from knowledge.models import Collection, Document, Source

    person = User.objects.create_user(f"reader{count}@example.org")
    shelf = Collection.objects.create(owner=person, name="Shelf")
    source = Source.objects.create(collection=shelf, name="Uploads")
    Document.objects.bulk_create(
        Document(collection=shelf, source=source, title=f"{n}", file_name=f"{n}.txt", size=1,
                 media_type="text/plain", sha256=f"{n:064}", status="ready", version=1)
        for n in range(count)
    )  # fmt: skip
    return person


def measure_state(count: int, rounds: int) -> dict[str, float]:
    from knowledge.state import knowledge_state

    person = documents(count)

    async def read() -> None:
        knowledge_state(person)

    import os

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return asyncio.run(times(read, rounds))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reused_answers")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="where to leave the figures")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        rows = {"look": asyncio.run(measure_look(options.rounds))}
        for count in DOCUMENTS:
            rows[f"state of {count:,} documents"] = measure_state(count, options.rounds // 5)
    for name, row in rows.items():
        print(f"{name:30} median {row['p50_ms']:7.3f} ms   p95 {row['p95_ms']:7.3f} ms")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))
    most = rows["look"]["p50_ms"] + max(
        row["p50_ms"] for name, row in rows.items() if name != "look"
    )
    is_met = most < GOAL_MS
    print(f"goal: look and state below {GOAL_MS} ms: {most:.2f}, {'met' if is_met else 'missed'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
