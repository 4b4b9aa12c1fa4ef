"""Conversation search in a full house: `python -m benchmarks.conversation_search [MESSAGES]`.

People have ten conversations each, one of them two thousand; words follow Zipf's law, a fifth of
the messages are Chinese. Times are those of the real search, permission and snippets included.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home

ROUNDS = 15
HEAVY = 2000  # conversations of the person who has most
PER_PERSON = 10
MESSAGES_EACH = 10
WORDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("messages", nargs="?", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    with django_on_a_throwaway_home():
        figures = json.dumps(measure(options.messages), indent=2)
    print(figures)
    if options.json:
        options.json.write_text(figures)


def measure(messages: int) -> dict[str, object]:
    from chat.models import Conversation
    from chat.search import index as search_index
    from chat.search.finding import find_hits

    heavy, light = fill(messages)
    started = time.perf_counter()
    while Conversation.objects.filter(search_index.STALE).exists():
        search_index.keep()
    indexing = time.perf_counter() - started
    _analyze()
    searches = {
        "rare word": "w19999", "common word": "w3", "two words": "w40 w55",
        "being typed": "w12", "chinese": "报销", "nothing": "nothing",
    }  # fmt: skip
    return {
        "messages": messages,
        "indexed per second": round(messages / indexing),
        "index, MB": _size(),
        "milliseconds": {
            name: {
                "has most": _median(lambda query=query: find_hits(heavy, query)),
                "has ten": _median(lambda query=query: find_hits(light, query)),
            }
            for name, query in searches.items()
        },
    }


def fill(count: int) -> tuple[object, object]:
    """The person with most conversations and one with ten."""
    from accounts.models import User
    from chat.models import Conversation, Message

    chosen = random.Random(1)
    sizes = [HEAVY] + [PER_PERSON] * ((count // MESSAGES_EACH - HEAVY) // PER_PERSON)
    people = [User(email=f"{n}@example.org") for n in range(len(sizes))]
    User.objects.bulk_create(people)
    for person, size in zip(people, sizes, strict=True):
        talks = [Conversation(owner=person, title=_text(chosen, 5)) for _ in range(size)]
        Conversation.objects.bulk_create(talks)
        said = (
            Message(conversation=talk, role="user", text=_text(chosen, WORDS))
            for talk in talks
            for _ in range(MESSAGES_EACH)
        )
        for batch in _batches(said, 2000):
            Message.objects.bulk_create(batch)
    return people[0], people[1]


def _text(chosen: random.Random, words: int) -> str:
    if chosen.random() < 0.2:
        return "".join(
            chosen.choices("出差结束后多久要交报销单据会议室预订流程请假审批合同", k=words * 2)
        )
    return " ".join(f"w{int(20_000 ** chosen.random())}" for _ in range(words))


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")


def _size() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_total_relation_size('chat_searchentry')")
        return round(cursor.fetchone()[0] / 2**20, 1)


def _median(search: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        search()
        times.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
