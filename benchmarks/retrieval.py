"""Retrieval and indexing, through the real services: `python -m benchmarks.retrieval DATA [DATA…]`.

A data folder holds corpus.jsonl (`_id, title, text`), queries.jsonl (`_id, text`) and qrels.tsv.
Each becomes a collection of one document per entry, indexed by the real job; each query goes
through the real search with its permission filter. A document's rank is that of its best passage.
With several folders, every query is asked of its own collection and of all of them together.

The fused order is compared query by query (paired bootstrap, 95 %) with each leg alone and with
reciprocal rank fusion of both (k=60, Cormack 2009).
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home

DEPTH = 10
# Passages asked for: several of them may belong to one document.
PASSAGES = 50
LEGS = ("fused", "lexical", "dense")
RRF_K = 60
OTHERS = ("lexical", "dense", "rrf")  # what the fused order is compared with


@dataclass(frozen=True)
class DataSet:
    name: str
    corpus: list[dict[str, str]]
    queries: list[dict[str, str]]
    relevant: dict[str, dict[str, int]]


def read(folder: Path, limit: int | None) -> DataSet:
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        relevant[query][document] = int(score)
    queries = [q for q in _lines(folder / "queries.jsonl") if q["_id"] in relevant]
    step = max(1, len(queries) // limit) if limit else 1
    return DataSet(folder.name, _lines(folder / "corpus.jsonl"), queries[::step], dict(relevant))


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def ndcg(ranking: Sequence[str], relevant: dict[str, int]) -> float:
    gained = sum(
        relevant.get(document, 0) / math.log2(place + 2)
        for place, document in enumerate(ranking[:DEPTH])
    )
    best = sorted(relevant.values(), reverse=True)[:DEPTH]
    return gained / sum(value / math.log2(place + 2) for place, value in enumerate(best))


def recall(ranking: Sequence[str], relevant: dict[str, int]) -> float:
    return len(set(ranking[:DEPTH]) & relevant.keys()) / len(relevant)


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Indexed:
    """A data set in a collection of its own."""

    def __init__(self, data: DataSet, user: Any) -> None:
        from knowledge import services

        self.data = data
        self.user = user
        self.collection = services.create_collection(user, data.name)
        self.names: dict[str, str] = {}  # document id → id in the data set
        self.timing: dict[str, float] = {}

    def index(self) -> None:
        """Through storage, the row, the job and the reading process, as a worker does it."""
        import io

        from events import jobs
        from events.models import Job
        from knowledge import services

        began = time.perf_counter()
        for entry in self.data.corpus:
            title = entry["title"].replace("_", " ").replace("/", " ").strip()
            # The same text twice in a corpus is two entries there, but one document here.
            document, is_new = services.add_document(
                self.user,
                self.collection,
                io.BytesIO(entry["text"].encode()),
                f"{title or 'untitled'}.txt",
            )
            self.names.setdefault(str(document.pk), entry["_id"])
            if is_new:
                jobs.run(str(document.job_id))
        self.timing["seconds"] = time.perf_counter() - began
        for job in Job.objects.filter(task="knowledge.jobs.reweigh_collection", finished_at=None):
            jobs.run(str(job.pk))
        failed = self.collection.documents.exclude(status="ready").count()
        if failed:
            sys.exit(f"{self.data.name}: {failed} documents were not indexed")
        self.timing["passages"] = sum(d.chunk_count for d in self.collection.documents.all())

    def index_as_one(self) -> None:
        """The corpus as one long file, and the embedder alone on the same passages."""
        import io

        from events import jobs
        from knowledge import services

        parts = [f"## {e['title'] or e['_id']}\n\n{e['text']}\n" for e in self.data.corpus]
        whole = services.create_collection(self.user, f"{self.data.name} as one file")
        began = time.perf_counter()
        document, _ = services.add_document(
            self.user, whole, io.BytesIO("\n".join(parts).encode()), f"{self.data.name}.md"
        )
        jobs.run(str(document.job_id))
        self.timing["one_seconds"] = time.perf_counter() - began
        self.timing["one_passages"] = document.chunks.count()
        self.timing["embedder_seconds"] = embedder_seconds(document)
        services.delete_collection(whole)


def embedder_seconds(document: Any) -> float:
    """How long the embedder alone takes for the passages that have vectors; 0 where none has."""
    from gateway.embedding.embedder import get_embedder
    from knowledge.chunking import index_text
    from knowledge.models import Embedding

    embedded = Embedding.objects.filter(chunk__document=document).select_related("chunk")
    chunks = [row.chunk for row in embedded]
    texts = [index_text(document.title, c.heading_path, c.text) for c in chunks]
    texts.sort(key=len, reverse=True)
    began = time.perf_counter()
    for start in range(0, len(texts), 64):
        get_embedder().embed(texts[start : start + 64])
    return time.perf_counter() - began if texts else 0.0


def rank_by(passages: Sequence[Any], leg: str, names: dict[str, str]) -> list[str]:
    """Ids of the documents by their best passage in one leg, by both legs' ranks, or in the fused
    order."""
    if leg == "rrf":
        passages = sorted(passages, key=lambda p: -reciprocal_rank(p))
    elif leg != "fused":
        passages = [p for p in passages if p.ranks[leg]]
        passages = sorted(passages, key=lambda p: -p.ranks[leg]["score"])
    return list(dict.fromkeys(names[str(p.document_id)] for p in passages))


def reciprocal_rank(passage: Any) -> float:
    ranks = (passage.ranks[leg] for leg in ("lexical", "dense"))
    return sum(1 / (RRF_K + rank["rank"]) for rank in ranks if rank)


def compared(scores: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    """What the fused order gains on each of the others, with its interval; without a leg that
    found nothing at all."""
    from knowledge.quality.comparing import paired_bootstrap

    fused = scores["fused_ndcg"]
    return {
        other: paired_bootstrap([a - b for a, b in zip(fused, found, strict=True)]).as_json()
        for other in OTHERS
        if any(found := scores[f"{other}_ndcg"])
    }


def evaluate(found: Indexed, names: dict[str, str], search: Callable[[str], Any]) -> dict[str, Any]:
    scores: dict[str, list[float]] = defaultdict(list)
    took: list[float] = []
    for query in found.data.queries:
        relevant = found.data.relevant[query["_id"]]
        began = time.perf_counter()
        result = search(query["text"])
        took.append((time.perf_counter() - began) * 1000)
        for leg in (*LEGS, "rrf"):
            ranking = rank_by(result.passages, leg, names)
            scores[f"{leg}_ndcg"].append(ndcg(ranking, relevant))
            scores[f"{leg}_recall"].append(recall(ranking, relevant))
    row: dict[str, Any] = {name: round(statistics.mean(v), 4) for name, v in scores.items()}
    row |= {"p50_ms": round(percentile(took, 0.5), 1), "p95_ms": round(percentile(took, 0.95), 1)}
    return row | {"queries": len(took), "gain_on": compared(scores)}


def measure(folders: Sequence[Path], limit: int | None) -> list[dict[str, Any]]:
    from accounts.models import User
    from gateway.embedding.embedder import get_embedder
    from knowledge.retrieval import search

    user = User.objects.create_user("bench@example.org", "not used by anybody")
    get_embedder().embed(["warm up"])
    rows: list[dict[str, Any]] = []
    indexed = [Indexed(read(folder, limit), user) for folder in folders]
    for found in indexed:
        found.index()
        found.index_as_one()
    every_name = {key: name for found in indexed for key, name in found.names.items()}
    for found in indexed:
        own = [found.collection.pk]
        row = evaluate(found, every_name, lambda q, own=own: search(user, q, own, PASSAGES))
        rows.append({"set": found.data.name, "scope": "own", **row, **_rounded(found.timing)})
        if len(indexed) > 1:
            row = evaluate(found, every_name, lambda q: search(user, q, None, PASSAGES))
            rows.append({"set": found.data.name, "scope": "all", **row})
    return rows


def _rounded(timing: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in timing.items()}


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    found = Table("set", "scope", "nDCG@10", "lexical", "dense", "recall@10", "p50 ms", "p95 ms")
    speed = Table("set", "many files, passages/s", "one file", "embedder alone", "one / alone")
    for row in rows:
        cells = ("fused_ndcg", "lexical_ndcg", "dense_ndcg", "fused_recall", "p50_ms", "p95_ms")
        found.add_row(row["set"], row["scope"], *(str(row[name]) for name in cells))
        if "seconds" in row:
            many = row["passages"] / row["seconds"]
            one = row["one_passages"] / row["one_seconds"]
            alone, share = "not used", ""
            if row["embedder_seconds"] > 0:
                alone = f"{row['one_passages'] / row['embedder_seconds']:.0f}"
                share = f"{row['embedder_seconds'] / row['one_seconds']:.0%}"
            speed.add_row(row["set"], f"{many:.0f}", f"{one:.0f}", alone, share)
    gains = Table("set", "scope", *(f"nDCG gained on {other}" for other in OTHERS))
    for row in rows:
        gains.add_row(row["set"], row["scope"], *(_said(row["gain_on"].get(o)) for o in OTHERS))
    console = Console(width=110)
    console.print(found)
    console.print(gains)
    console.print(speed)


def _said(change: dict[str, Any] | None) -> str:
    if change is None:
        return "not used"
    return f"{change['delta']:+.4f} ({change['low']:+.4f} to {change['high']:+.4f})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path, help="folders with corpus, queries, qrels")
    parser.add_argument("--queries", type=int, help="at most about so many queries of each set")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        rows = measure(options.data, options.queries)
        show(rows)
    text = json.dumps(rows, indent=1)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
