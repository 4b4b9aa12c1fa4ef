"""How well the offline answerer quotes: `python -m benchmarks.offline_answers DATA [DATA…]`.

A data folder holds corpus.jsonl, queries.jsonl, qrels.tsv and answers.jsonl. Each question meets
the eight passages that BM25 finds, once with the right one among them (does the quotation hold the
answer?) and once without it (is nothing said?); and, with several folders, it meets the passages of
the next folder, where the only right answer is that nothing fits.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
PASSAGES = 8


class Corpus:
    """A folder with an exact BM25 over it."""

    def __init__(self, folder: Path) -> None:
        from knowledge.analyzer import analyze

        self.name = folder.name
        self.analyze = analyze
        self.documents = {row["_id"]: row for row in _lines(folder / "corpus.jsonl")}
        self.questions = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
        self.answers = {row["_id"]: row["answers"] for row in _lines(folder / "answers.jsonl")}
        rows = (folder / "qrels.tsv").read_text().splitlines()[1:]
        self.relevant = dict(line.split("\t")[:2] for line in rows)
        self._index()

    def _index(self) -> None:
        self.postings: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.lengths: dict[str, int] = {}
        for key, row in self.documents.items():
            terms = Counter(self.analyze(f"{row['title']} {row['text']}"))
            self.lengths[key] = sum(terms.values())
            for term, count in terms.items():
                self.postings[term].append((key, count))
        self.mean = statistics.mean(self.lengths.values())

    def search(self, question: str) -> list[str]:
        scores: Counter[str] = Counter()
        for term in set(self.analyze(question)):
            found = self.postings.get(term, [])
            idf = math.log(1 + (len(self.lengths) - len(found) + 0.5) / (len(found) + 0.5))
            for key, count in found:
                length = 0.25 + 0.75 * self.lengths[key] / self.mean
                scores[key] += idf * count * 2.2 / (count + 1.2 * length)
        return [key for key, _ in scores.most_common(PASSAGES + 1)]

    def passages(self, keys: Sequence[str]) -> list[Any]:
        from gateway.types import PassageText

        rows = [self.documents[key] for key in keys]
        return [
            PassageText(n, row["title"].replace("_", " "), row["text"])
            for n, row in enumerate(rows, 1)
        ]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text().splitlines())


def _dense(text: str) -> str:
    return "".join(text.split()).lower()


def measure(folders: Sequence[Path], limit: int) -> list[dict[str, Any]]:
    corpora = [Corpus(folder) for folder in folders]
    rows = []
    for corpus, other in zip(corpora, [*corpora[1:], corpora[0]], strict=True):
        keys = list(corpus.answers)
        keys = keys[:: max(1, len(keys) // limit)]
        rows.append(_ask(corpus, corpus, keys, "answer among the passages"))
        rows.append(_ask(corpus, corpus, keys, "its passage taken away"))
        if other is not corpus:
            rows.append(_ask(corpus, other, keys, f"asked of {other.name}"))
    return rows


def _ask(corpus: Corpus, asked: Corpus, keys: Sequence[str], case: str) -> dict[str, Any]:
    from gateway.embedding.local import local_embedder
    from gateway.offline.quoting import choose_sentences

    embed = local_embedder().embed
    embed(["warm"])
    hits, refusals, sentences, spent = 0, 0, 0, []
    for key in keys:
        found = asked.search(corpus.questions[key])
        if asked is corpus:
            right = corpus.relevant[key]
            found = [one for one in found if one != right]
            found = [right, *found[: PASSAGES - 1]] if "among" in case else found
        passages = asked.passages(found[:PASSAGES])
        began = time.process_time()
        chosen = choose_sentences(corpus.questions[key], passages, embed)
        spent.append((time.process_time() - began) * 1000)
        text = _dense("".join(sentence.text for sentence in chosen))
        hits += any(_dense(answer) in text for answer in corpus.answers[key])
        refusals += not chosen
        sentences += len(chosen)
    count = len(keys)
    return {
        "questions": corpus.name,
        "case": case,
        "count": count,
        "holds_the_answer": round(hits / count, 3),
        "says_nothing_fits": round(refusals / count, 3),
        "sentences": round(sentences / max(1, count - refusals), 2),
        "cpu_p50_ms": round(statistics.median(spent), 1),
        "cpu_p95_ms": round(statistics.quantiles(spent, n=20)[-1], 1),
    }


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The offline answerer")
    for name in rows[0]:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=140).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="questions of each folder")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("PARLEY_HOME", home)
        rows = measure(options.data, options.limit)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
