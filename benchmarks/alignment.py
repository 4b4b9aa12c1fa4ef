"""How well sentences find their source: `python -m benchmarks.alignment DATA [DATA…]`.

A data folder holds corpus.jsonl. Sentences of its passages are changed by rule (another case, width
or script; cut; their clauses swapped; put in other words; two joined) and aligned with the passage:
is the span found the sentence it was made of? Others must find no support: a sentence of the
neighbouring passage, one with another number, one that says the contrary. Where two folders hold
the same texts in English and Chinese, translated sentences show what is left unjudged. Questions
with their answers put in say what a passage says in words of their own: of those whose wording no
passage supports, how many does meaning, in their own passage, the next one and a shuffled one?
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

NOBODY = UUID(int=0)
SYNONYMS = {
    "about": "concerning", "after": "following", "also": "too", "although": "though",
    "became": "turned into", "because": "since", "began": "started", "built": "constructed",
    "called": "named", "city": "town", "country": "nation", "during": "in the course of",
    "first": "initial", "found": "discovered", "has": "possesses", "however": "yet",
    "including": "among them", "known": "recognised", "large": "big", "many": "numerous",
    "most": "the majority of", "near": "close to", "often": "frequently", "people": "persons",
    "several": "some", "such as": "for example", "this": "that", "used": "employed",
    "was": "had been", "were": "had been", "while": "whereas", "with": "together with",
    "并": "而且", "因为": "由于", "在": "于", "和": "与", "开始": "着手", "很多": "许多",
    "成为": "变成", "是": "为", "认为": "觉得", "通常": "一般", "但": "不过", "以及": "还有",
}  # fmt: skip
LATIN_WORD = re.compile(r"\b(" + "|".join(k for k in SYNONYMS if k.isascii()) + r")\b")
HAN_WORD = re.compile("|".join(k for k in SYNONYMS if not k.isascii()))


def refashioned(sentence: str) -> str:
    """Another case, width and script, and other punctuation."""
    import opencc

    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in sentence)
    return str(opencc.OpenCC("s2t").convert(wide.upper())).replace(",", ";").replace("，", "、")


def cut(sentence: str) -> str:
    """The first three of its clauses or two thirds of its words."""
    units, space = (sentence.split(), " ") if " " in sentence else (list(sentence), "")
    return space.join(units[: max(4, len(units) * 2 // 3)])


def swapped(sentence: str) -> str:
    """Its clauses the other way round; its halves where there is one alone."""
    clauses = re.split(r"[,，;；]\s*", sentence.rstrip(".。"))
    if len(clauses) == 1:
        middle = len(sentence) // 2
        middle = sentence.rfind(" ", 0, middle) + 1 or middle
        clauses = [sentence[:middle], sentence[middle:].rstrip(".。")]
    return ", ".join(reversed([clause.strip() for clause in clauses])) + "."


def reworded(sentence: str) -> str:
    """Synonyms, its clauses swapped, and every seventh word left out."""
    text = LATIN_WORD.sub(lambda m: SYNONYMS[m[1]], swapped(sentence))
    text = HAN_WORD.sub(lambda m: SYNONYMS[m[0]], text)
    units, space = (text.split(), " ") if " " in text[:-2] else (list(text), "")
    return space.join(unit for n, unit in enumerate(units, 1) if n % 7)


def renumbered(sentence: str) -> str:
    return re.sub(r"\d+", lambda m: str(int(m[0]) + 37), sentence, count=1)


def denied(sentence: str) -> str:
    if found := re.search(r"\b(is|was|are|were|can|could|will|would|must|may)\b", sentence):
        return f"{sentence[: found.end()]} not{sentence[found.end() :]}"
    return re.sub("[是会能可]", lambda m: f"不{m[0]}", sentence, count=1)


KEPT: dict[str, Callable[[str], str]] = {
    "as it is": str, "other case, width, script": refashioned, "cut": cut, "swapped": swapped,
    "in other words": reworded,
}  # fmt: skip
SPOILT: dict[str, Callable[[str], str]] = {"another number": renumbered, "the contrary": denied}


class Passages:
    """Those of a folder that have at least three sentences, split by the house's own rule."""

    def __init__(self, folder: Path, limit: int) -> None:
        from gateway.sentences import split_sentences

        self.name = folder.name
        rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
        texts = [row["text"] for row in rows]
        long = [text for text in texts if len(split_sentences(text)) >= 3]
        self.texts = long[:: max(1, len(long) // limit)][:limit]
        self.spans = [split_sentences(text) for text in self.texts]

    def samples(self, rng: random.Random) -> Iterator[tuple[int, int]]:
        """The number of a passage and of one of its sentences that is no heading."""
        for n, spans in enumerate(self.spans):
            least, most = (30, 400) if self.texts[n].isascii() else (10, 400)
            fit = [at for at, (start, end) in enumerate(spans) if least <= end - start <= most]
            if fit:
                yield n, rng.choice(fit)


def judge(claim: str, text: str) -> tuple[Any, bool]:
    """What an answer of this sentence would cite of the passage, and whether it stands."""
    from agents.citations import Claim
    from agents.evidence import Evidence
    from agents.types import PackedPassage
    from knowledge.types import Passage

    async def holds(citations: Sequence[Any]) -> list[bool]:
        return [True for _ in citations]

    async def run() -> tuple[Any, bool]:
        part = Passage(NOBODY, NOBODY, NOBODY, "", (), text, 0, len(text), None, 1.0)
        evidence = Evidence([PackedPassage(1, (part,))], holds)
        (citation,) = await evidence.for_claims([Claim(1, claim)])
        found = await evidence.support(f"{claim} [1]")
        return citation, not found.unsupported

    return asyncio.run(run())


ASKING = {
    False: re.compile(
        r"\b(?:how (?:many|much)|what|who|where|when|which)\b"
        r"(?: (?:year|city|country|type|kind|percentage))?", re.IGNORECASE,
    ),
    True: re.compile("什么时候|哪[一]?年|多少|哪里|哪儿|哪[一]?[个些种位]|什么|谁|几"),
}  # fmt: skip


def answered(folder: Path) -> Iterator[tuple[str, str]]:
    """Questions with their answers in the place of what asks, and the id of their passage."""
    from gateway.wording import is_cjk

    def rows(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (folder / name).read_text().splitlines()]

    answers = {row["_id"]: row["answers"][0] for row in rows("answers.jsonl") if row["answers"]}
    lines = (folder / "qrels.tsv").read_text().splitlines()[1:]
    passages = dict(line.split("\t")[:2] for line in lines)
    for row in rows("queries.jsonl"):
        question = row["text"].rstrip("？? ")
        is_chinese = is_cjk(question)
        asks = ASKING[is_chinese].search(question)
        if asks and row["_id"] in answers and row["_id"] in passages:
            said = question[: asks.start()] + answers[row["_id"]] + question[asks.end() :]
            yield said + ("。" if is_chinese else "."), passages[row["_id"]]


def meanings(folder: Path, limit: int) -> dict[str, Any]:
    """Of claims that wording supports nowhere, the share that meaning supports, by passage."""
    from agents.aligning.meaning import Meanings, Open
    from agents.aligning.spans import SAID, Prepared, align

    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    texts = [row["text"] for row in corpus]
    place = {row["_id"]: n for n, row in enumerate(corpus)}
    rng, claims = random.Random(8), list(answered(folder))
    found: dict[str, list[bool]] = {"own": [], "next": [], "shuffled": []}
    for claim, pk in rng.sample(claims, min(limit, len(claims))):
        own = place[pk]
        others = {"own": own, "next": (own + 1) % len(texts), "shuffled": rng.randrange(len(texts))}
        for name, n in others.items():
            passage = Prepared(texts[n])
            worded = align(claim, passage)
            is_weak = worded.method in {"words", "passage"} and worded.score < SAID
            if is_weak and (name == "own" or n != own):
                found[name].append(Meanings().align([Open(claim, (passage,))]) != [None])
    told = {name: round(statistics.mean(ones), 4) for name, ones in found.items() if ones}
    return {"texts": folder.name, **told, "claims": {name: len(x) for name, x in found.items()}}


def measure(folder: Path, limit: int) -> list[dict[str, Any]]:
    corpus = Passages(folder, limit)
    rows = [_case(corpus, case, change, True) for case, change in KEPT.items()]
    rows += [_case(corpus, case, change, False) for case, change in SPOILT.items()]
    return [*rows, _case(corpus, "of the next passage", None, False)]


def _case(
    corpus: Passages, case: str, change: Callable[[str], str] | None, is_right: bool
) -> dict[str, Any]:
    """Share of the characters of the span that are right, of the right ones that are found, and
    how many count as supported."""
    rng = random.Random(8)
    exact, precision, recall, supported, spent, methods = [], [], [], [], [], {}
    for n, at in corpus.samples(rng):
        text, (start, end) = corpus.texts[n], corpus.spans[n][at]
        sentence = " ".join(text[start:end].split())
        claim = change(sentence) if change else sentence
        if change and not is_right and claim == sentence:
            continue
        against = text if change else corpus.texts[(n + 1) % len(corpus.texts)]
        began = time.process_time()
        found, is_supported = judge(claim, against)
        spent.append((time.process_time() - began) * 1000)
        methods[found.method] = methods.get(found.method, 0) + 1
        supported.append(is_supported)
        shared = max(0, min(end, found.end) - max(start, found.start))
        exact.append((start, end) == (found.start, found.end))
        precision.append(shared / max(1, found.end - found.start))
        recall.append(shared / (end - start))
    count = len(supported)
    where = {
        "span": round(statistics.mean(exact), 3),
        "precision": round(statistics.mean(precision), 3),
        "recall": round(statistics.mean(recall), 3),
    } if change and count else {"span": "-", "precision": "-", "recall": "-"}  # fmt: skip
    return {
        "texts": corpus.name, "case": case, "sentences": count, **where,
        "supported": round(sum(supported) / max(1, count), 3),
        "should be": 1 if is_right else 0,
        "cpu ms": round(statistics.mean(spent), 2) if spent else 0,
        "methods": " ".join(f"{name} {n}" for name, n in sorted(methods.items())),
    }  # fmt: skip


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


def show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Sentences and their sources")
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=160).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="passages of each folder")
    parser.add_argument("--meaning", action="store_true", help="questions with answers alone")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("PARLEY_HOME", home)
        _set_up()
        if options.meaning:
            rows = [meanings(folder, options.limit) for folder in options.data]
        else:
            rows = [row for folder in options.data for row in measure(folder, options.limit)]
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
