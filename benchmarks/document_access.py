"""What documents with readers of their own cost a search: `python -m benchmarks.document_access`.

Passages of random words and vectors lie in one collection. Each question is asked in turning order:
as before there were such documents (`before`), where none is shared (`none`), by somebody with whom
ten other documents are shared (`ten`), and by an owner of `--apart` restricted ones (`owner`).
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from benchmarks.home import django_on_a_throwaway_home
from benchmarks.retrieval import percentile

WAYS = ("before", "none", "ten", "owner")
WORDS = 4_000
LENGTH = 60


def measure(passages: int, questions: int, apart: int) -> dict[str, Any]:
    from accounts import services as accounts
    from accounts.models import User
    from gateway.embedding.embedder import get_embedder
    from knowledge import services
    from knowledge.document_access import services as access

    get_embedder().embed(["warm up"])
    chance = random.Random(5)
    people = {way: User.objects.create_user(f"{way}@example.org", "none") for way in WAYS}
    house = services.create_collection(people["owner"], "House")
    for way in ("before", "none", "ten"):
        accounts.share(house, people[way], "reader", by=people["owner"])
    ids = fill(house, passages, chance, per_document=20)
    aside = services.create_collection(people["owner"], "Aside")
    for one in fill(aside, 200, chance, per_document=20):
        access.share(people["owner"], one, people["ten"])
    for one in ids[:apart]:
        access.restrict(people["owner"], one, is_restricted=True)
    settle()
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    orders = list(permutations(WAYS))
    for number in range(questions + 20):
        question = " ".join(word(chance) for _ in range(8))
        for way in orders[number % len(orders)]:
            milliseconds = ask(people[way], question, is_before=way == "before")
            if number >= 20:
                took[way].append(milliseconds)
    return {
        way: {
            "p50_ms": round(percentile(values, 0.5), 2),
            "p95_ms": round(percentile(values, 0.95), 2),
            "searches": len(values),
        }
        for way, values in took.items()
    } | {"second_lock_us": second_lock(people)}


def word(chance: random.Random) -> str:
    return f"w{int(WORDS * chance.random() ** 2)}"


def fill(collection: Any, count: int, chance: random.Random, per_document: int) -> list[Any]:
    """Documents with their passages, as indexing leaves them."""
    from knowledge.indexing import Generation, replace_chunks
    from knowledge.models import Document
    from knowledge.queueing import upload_source
    from knowledge.types import ChunkDraft, Extracted
    from knowledge.versions import find_active_version

    version, source, made = find_active_version(), upload_source(collection), []
    for number in range(count // per_document):
        texts = [" ".join(word(chance) for _ in range(LENGTH)) for _ in range(per_document)]
        document = Document.objects.create(
            collection=collection, source=source, title=f"D{number}", file_name=f"{number}.txt",
            media_type="text/plain", size=1, sha256=f"{collection.pk}{number}"[-64:],
        )  # fmt: skip
        drafts, start = [], 0
        for text in texts:
            drafts.append(
                ChunkDraft(text=text, heading_path=(), start=start, end=start + len(text))
            )
            start += len(text) + 1
        vectors = {n: unit(chance, version.dimensions) for n in range(per_document)}
        extracted = Extracted(title=document.title, text="\n".join(texts), blocks=())
        generation = Generation(document.title, extracted, drafts, vectors, version)
        replace_chunks(document, generation)
        made.append(document.pk)
    return made


def unit(chance: random.Random, dimensions: int) -> Any:
    import numpy as np

    vector = np.random.default_rng(chance.randrange(2**32)).normal(size=dimensions)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def settle() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")


def ask(person: Any, question: str, *, is_before: bool) -> float:
    """Milliseconds without the embedding."""
    from knowledge import retrieval
    from knowledge.models import known_parts

    known_parts._are_there = not is_before
    known_parts._until = time.monotonic() + 60
    began = time.perf_counter()
    found = retrieval.search(person, question, None, 10)
    took = (time.perf_counter() - began) * 1000
    assert found.passages
    return took - found.timings["embed_ms"]


def second_lock(people: dict[str, Any]) -> dict[str, float]:
    """Microseconds of what the row policies ask, as it was and as it is, for a reader."""
    from importlib import import_module

    from django.db import connection, transaction

    old = import_module("knowledge.migrations.0027_document_access").OLD_COLLECTIONS
    rounds, found = 2_000, {}
    call = f"do $$ begin for n in 1..{rounds} loop perform parley_collections(); end loop; end $$"
    with connection.cursor() as cursor:
        for name, person in (("none", people["none"]), ("ten", people["ten"])):
            for is_old in (True, False):
                with transaction.atomic():
                    cursor.execute(
                        "select set_config('parley.user_id', %s, true)", [str(person.pk)]
                    )
                    if is_old:
                        cursor.execute(old)
                    cursor.execute(call)
                    began = time.perf_counter()
                    cursor.execute(call)
                    each = (time.perf_counter() - began) / rounds * 1e6
                    transaction.set_rollback(True)
                found[f"{name}, {'as it was' if is_old else 'as it is'}"] = round(each, 1)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=240)
    parser.add_argument("--apart", type=int, default=200, help="restricted documents")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        print(json.dumps(measure(options.passages, options.questions, options.apart), indent=1))


if __name__ == "__main__":
    main()
