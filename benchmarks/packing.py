"""What reaches the model: `python -m benchmarks.packing DATA [DATA…]`.

A data folder holds corpus.jsonl, queries.jsonl, qrels.tsv and answers.jsonl. Its articles become
long documents in two collections, every other one in each. Each question meets its own collection
(does the packed context cover the answer? does the offline answer hold it?) and the other one,
where the only right answer is that nothing fits.
"""

import argparse
import io
import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home
from benchmarks.offline_answers import _dense as dense
from benchmarks.offline_answers import _lines as lines

TIGHT = 1_100  # tokens in which the answer must be
ARTICLES = 8  # in a document
LIMIT = 8
AGENT_TOKENS = 6_000


@dataclass(frozen=True)
class Asked:
    text: str
    answers: list[str]
    paragraph: str  # that holds the answer
    half: int


class Data:
    """A folder's articles in two halves, and its questions."""

    def __init__(self, folder: Path, most: int) -> None:
        self.name = folder.name
        rows = {row["_id"]: row for row in lines(folder / "corpus.jsonl")}
        articles: dict[str, list[str]] = defaultdict(list)
        for row in rows.values():
            articles[row["title"]].append(row["text"])
        self.halves: list[list[tuple[str, list[str]]]] = [[], []]
        half_of = {}
        for n, (title, paragraphs) in enumerate(articles.items()):
            self.halves[n % 2].append((title.replace("_", " "), paragraphs))
            half_of[title] = n % 2
        texts = {row["_id"]: row["text"] for row in lines(folder / "queries.jsonl")}
        answers = {row["_id"]: row["answers"] for row in lines(folder / "answers.jsonl")}
        relevant = dict(
            line.split("\t")[:2] for line in (folder / "qrels.tsv").read_text().splitlines()[1:]
        )
        keys = [key for key in texts if key in answers]
        self.questions = []
        for key in keys[:: max(1, len(keys) // most)]:
            row = rows[relevant[key]]
            paragraph = row["text"].strip("\ufeff \n")
            asked = Asked(texts[key], answers[key], paragraph, half_of[row["title"]])
            self.questions.append(asked)

    def documents(self, half: int) -> list[str]:
        articles = self.halves[half]
        groups = [articles[n : n + ARTICLES] for n in range(0, len(articles), ARTICLES)]
        return [
            "\n\n".join(f"# {title}\n\n" + "\n\n".join(paragraphs) for title, paragraphs in group)
            for group in groups
        ]


def index(data: Data, user: Any) -> list[Any]:
    from events import jobs
    from events.models import Job
    from knowledge import services

    made = []
    for half in range(2):
        collection = services.create_collection(user, f"{data.name} {half}")
        for n, text in enumerate(data.documents(half)):
            file = io.BytesIO(text.encode())
            document, _ = services.add_document(user, collection, file, f"part {n}.md")
            jobs.run(str(document.job_id))
        if collection.documents.exclude(status="ready").count():
            sys.exit(f"{data.name}: not everything was indexed")
        made.append(collection)
    for job in Job.objects.filter(task="knowledge.jobs.reweigh_collection", finished_at=None):
        jobs.run(str(job.pk))
    return made


def coverage(asked: Asked, passages: Sequence[Any], texts: dict[Any, str]) -> float:
    """The share of the answer's characters, where its paragraph has it, that the context has.

    The data say in which paragraph an answer stands, not where in it: of several places the best.
    """
    places = [
        (document, at + found.start(), at + found.end())
        for document, text in texts.items()
        if (at := text.find(asked.paragraph)) >= 0
        for answer in asked.answers
        for found in re.finditer(re.escape(answer), asked.paragraph)
    ]
    return max((_share(span, passages) for span in places), default=0.0)


def _share(span: tuple[Any, int, int], passages: Sequence[Any]) -> float:
    document, start, end = span
    given: set[int] = set()
    for passage in passages:
        for part in passage.parts:
            if part.document_id == document:
                given |= set(range(max(start, part.start), min(end, part.end)))
    return len(given) / (end - start)


def measure(folders: Sequence[Path], most: int, dump: Path | None) -> list[dict[str, Any]]:
    from accounts.models import User
    from gateway.embedding.local import local_embedder

    user = User.objects.create_user("bench@example.org", "not used by anybody")
    local_embedder().embed(["warm up"])
    rows, likenesses = [], []
    for folder in folders:
        data = Data(folder, most)
        collections = index(data, user)
        row, alike = ask(data, collections, user)
        rows.append(row)
        likenesses.append({"set": data.name, **alike})
    if dump:
        dump.write_text(json.dumps(likenesses))
    return rows


def ask(data: Data, collections: Sequence[Any], user: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    from agents.packing import pack_with
    from gateway.embedding.local import local_embedder
    from gateway.offline.quoting import choose_sentences
    from gateway.types import PassageText
    from knowledge.models import DocumentText
    from knowledge.retrieval import search
    from knowledge.retrieval.surroundings import read_around

    texts = [
        dict(
            DocumentText.objects.filter(document__collection=collection).values_list(
                "document_id", "text"
            )
        )
        for collection in collections
    ]
    figures: dict[str, list[float]] = defaultdict(list)
    alike: dict[str, list[float]] = {"own": [], "other": []}

    def packed(text: str, half: int, budget: int, *, only_alike: bool = True) -> Any:
        found = search(user, text, [collections[half].pk], 2 * LIMIT, only_alike=only_alike)
        around = read_around(user, found.passages)
        return found, pack_with(found.passages, budget, LIMIT, around)

    def answered(text: str, passages: Sequence[Any]) -> list[Any]:
        given = [PassageText(p.n, p.title, p.text) for p in passages]
        return choose_sentences(text, given, local_embedder().embed)

    roomy = AGENT_TOKENS * 2 // 3
    for asked in data.questions:
        every = search(user, asked.text, [collections[asked.half].pk], 10).passages
        alike["own"].append(max((p.ranks["alike"] for p in every), default=0))
        every = search(user, asked.text, [collections[1 - asked.half].pk], 10).passages
        alike["other"].append(max((p.ranks["alike"] for p in every), default=0))
        _, tight = packed(asked.text, asked.half, TIGHT, only_alike=False)
        figures["covered"].append(coverage(asked, tight.passages, texts[asked.half]))
        figures["tokens"].append(tight.tokens)
        found, wide = packed(asked.text, asked.half, roomy)
        figures["roomy"].append(wide.tokens)
        figures["nothing_found"].append(not found.passages)
        chosen = answered(asked.text, wide.passages)
        said = dense("".join(sentence.text for sentence in chosen))
        figures["holds"].append(any(dense(answer) in said for answer in asked.answers))
        found, wide = packed(asked.text, 1 - asked.half, roomy)
        figures["false_found"].append(bool(found.passages))
        figures["false_answer"].append(bool(answered(asked.text, wide.passages)))
    mean = {name: round(statistics.mean(values), 3) for name, values in figures.items()}
    return {
        "set": data.name,
        "questions": len(data.questions),
        f"covered at {TIGHT}": mean["covered"],
        "tokens": round(mean["tokens"]),
        f"tokens of {roomy}": round(mean["roomy"]),
        "wrongly nothing found": mean["nothing_found"],
        "offline answer holds it": mean["holds"],
        "shuffled: something found": mean["false_found"],
        "shuffled: answered": mean["false_answer"],
    }, alike


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0], title="What reaches the model")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=150).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="questions of each folder")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--likeness", type=Path, help="where to write what thresholds rest on")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        rows = measure(options.data, options.limit, options.likeness)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
