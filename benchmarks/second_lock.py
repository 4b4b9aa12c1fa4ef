"""What the second lock costs a search: `python -m benchmarks.second_lock DATA [DATA…]`.

Each query of the data sets (see `benchmarks.retrieval`) is asked three times in a row, in turning
order: without the lock and its view, with the view alone, and with the lock. All of them search all
sets together, as a person does who chose no collection. Beside those, `--crowd` collections of
somebody else and as many of the person's own are there.
"""

import argparse
import json
import time
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home
from benchmarks.retrieval import PASSAGES, Indexed, percentile, read

WAYS = ("neither", "view", "lock")


def measure(folders: Sequence[Path], limit: int | None, crowd: int, rounds: int) -> dict[str, Any]:
    from accounts.models import User
    from gateway.embedding.embedder import get_embedder
    from knowledge import services
    from security.reading import is_fitted

    assert is_fitted()
    user = User.objects.create_user("bench@example.org", "not used by anybody")
    other = User.objects.create_user("other@example.org", "not used by anybody")
    get_embedder().embed(["warm up"])
    indexed = [Indexed(read(folder, limit), user) for folder in folders]
    for found in indexed:
        found.index()
    for number in range(crowd):
        services.create_collection(user, f"mine {number}")
        services.create_collection(other, f"theirs {number}")
    questions = [query["text"] for found in indexed for query in found.data.queries]
    ask(user, "lock", questions[0])
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    orders = list(permutations(WAYS))
    for number, question in enumerate(questions * rounds):
        answers = []
        for way in orders[number % len(orders)]:
            milliseconds, passages = ask(user, way, question)
            took[way].append(milliseconds)
            answers.append(passages)
        assert answers[0] == answers[1] == answers[2], question
    return {
        way: {
            "p50_ms": round(percentile(values, 0.5), 2),
            "p95_ms": round(percentile(values, 0.95), 2),
            "searches": len(values),
        }
        for way, values in took.items()
    }


def ask(user: Any, way: str, question: str) -> tuple[float, list[Any]]:
    """Milliseconds of the search without its embedding, and what it found."""
    from django.conf import settings

    from knowledge import retrieval
    from knowledge.retrieval import statements

    settings.PARLEY_SECOND_LOCK = way == "lock"
    table = "knowledge_chunk" if way == "neither" else "knowledge_lexicon"
    statements.LEXICAL = statements.LEXICAL.replace("knowledge_chunk", table)
    statements.LEXICAL = statements.LEXICAL.replace("knowledge_lexicon", table)
    began = time.perf_counter()
    found = retrieval.search(user, question, None, PASSAGES)
    took = (time.perf_counter() - began) * 1000
    embedding = found.timings["embed_ms"]
    return took - embedding, [passage.chunk_id for passage in found.passages]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path, help="folders with corpus, queries, qrels")
    parser.add_argument("--queries", type=int, help="at most about so many queries of each set")
    parser.add_argument("--crowd", type=int, default=0, help="empty collections of each person")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        figures = json.dumps(measure(options.data, options.queries, options.crowd, options.rounds))
    print(figures)
    if options.json:
        options.json.write_text(figures)


if __name__ == "__main__":
    main()
