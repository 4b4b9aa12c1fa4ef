"""What understanding a question does to finding: `python -m benchmarks.understanding EN ZH`.

First the rules alone, on labelled questions (`labelled_questions`). Then the search: EN and ZH are
folders with the same questions in two languages (their ids end alike), and the collection of EN is
searched. Every way is switched on by itself. What a model is to write is scripted, on a real
socket: so this says what a way is worth when the model does as it is told, when it talks nonsense,
and when it is wrong. The question itself must take part each time.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.home import django_on_a_throwaway_home
from tests.support.model_server import ModelServer

QUERIES = 120
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
MODEL = ModelServer()
MOST_WRONG = 2  # labelled questions of each table


@dataclass(frozen=True)
class Case:
    """A question and what it must find; `written` is what the scripted model says of it."""

    question: str
    relevant: dict[str, int]
    asked: tuple[str, ...] = ()
    written: str = "{}"


def check_rules() -> dict[str, Any]:
    """How many of the labelled questions are understood as they are labelled, and which are not."""
    from benchmarks.labelled_questions import FILTERS, FOLLOW_UPS, PARTS
    from knowledge.retrieval.understanding.following import points_back
    from knowledge.retrieval.understanding.splitting import parts_of

    tables: dict[str, list[tuple[str, bool]]] = {
        "filters": [(q, _narrowed(q) == set(told.split())) for q, told in FILTERS.items()],
        "parts": [(q, max(1, len(parts_of(q))) == count) for q, count in PARTS.items()],
        "follow-ups": [(q, points_back(q) == does) for q, does in FOLLOW_UPS.items()],
    }
    return {
        name: {
            "right": sum(is_right for _q, is_right in rows),
            "of": len(rows),
            "wrong": [question for question, is_right in rows if not is_right],
        }
        for name, rows in tables.items()
    }


def _narrowed(question: str) -> set[str]:
    from knowledge.retrieval.understanding.filters import recognise

    found = set()
    for one in recognise(question, NOW):
        span = "..".join(str(day.date()) if day else "" for day in (one.from_, one.until))
        found.add(one.values[0] if one.values else span)
    return found


class Bench:
    """The collection of one language, searched with questions as they are understood."""

    def __init__(self, english: Any, chinese: Any, user: Any) -> None:
        self.indexed, self.user = english, user
        self.queries = english.data.queries
        self.relevant = english.data.relevant
        self.twins = {query["_id"][3:]: query["text"] for query in chinese.queries}

    def cases(self, make: Callable[[dict[str, str], dict[str, str]], Case]) -> list[Case]:
        """Of each question and one of another passage."""
        half = len(self.queries) // 2
        others = self.queries[half:] + self.queries[:half]
        return [make(one, other) for one, other in zip(self.queries, others, strict=True)]

    def measure(self, cases: Sequence[Case], *switches: str) -> dict[str, float]:
        from benchmarks.retrieval import DEPTH, ndcg, rank_by, recall

        scores: dict[str, list[float]] = {"ndcg": [], "recall": [], "kept": []}
        for case in cases:
            found, passages = self._find(case, switches)
            ranking = rank_by(passages, "fused", self.indexed.names)[:DEPTH]
            scores["ndcg"].append(ndcg(ranking, case.relevant))
            scores["recall"].append(recall(ranking, case.relevant))
            scores["kept"].append(found.first.text.endswith(case.question))
        return {name: round(statistics.mean(values), 4) for name, values in scores.items()}

    def _find(self, case: Case, switches: Sequence[str]) -> tuple[Any, Any]:
        from agents.types import AgentSpec, AgentTask, PastMessage
        from agents.understanding.asking import understand_question
        from knowledge.retrieval import search
        from knowledge.switches import Switch

        said = {switch.value: switch.value in switches for switch in Switch}
        task = AgentTask(
            AgentSpec(understanding=said),
            self.user,
            case.question,
            tuple(PastMessage("user", text) for text in case.asked),
            has_glossary=True,
        )
        own = [self.indexed.collection.pk]
        chat = _scripted(case.written)
        found, _step = asyncio.run(understand_question(task, own, chat, _routes))
        result = search(
            self.user, found.first.text, own, 50, also=found.also, filters=found.filters
        )
        return found, result.passages


async def _routes(_name: str) -> Any:
    from gateway.types import Route

    return (Route("scripted", "scripted", "bench", MODEL.url),)


def _scripted(written: str) -> Any:
    """A model that says this, whatever it is asked."""
    from dataclasses import replace

    from gateway.chat import stream_chat
    from gateway.upstream.session import close_pool
    from tests.support.model_server import Script

    async def record(_call: Any) -> None:
        """What it costs is nobody's question here."""

    async def chat(request: Any) -> Any:
        MODEL.queue(Script(text=written))
        free = replace(request.controls, json_schema=None)  # nonsense is not asked for again
        payer = replace(request.payer, budget=None)
        asked = replace(request, controls=free, payer=payer)
        try:
            async for item in stream_chat(asked, routes=_routes, record=record):
                yield item
        finally:
            await close_pool()  # of this event loop

    return chat


def measure(folders: Sequence[Path], limit: int) -> list[dict[str, Any]]:
    from accounts.models import User
    from benchmarks.retrieval import Indexed, read

    user = User.objects.create_user("bench@example.org", "not used by anybody")
    english, chinese = read(folders[0], limit), read(folders[1], None)
    indexed = Indexed(english, user)
    indexed.index()
    bench = Bench(indexed, chinese, user)
    rows = []
    for name, make, switches in ways(bench):
        cases = bench.cases(make)
        off, on = bench.measure(cases), bench.measure(cases, *switches)
        rows.append({"way": name, "off": off, "on": on, "queries": len(cases)})
        print(f"{name}: {off} → {on}", file=sys.stderr)
    return rows


def ways(bench: Bench) -> list[tuple[str, Callable[[Any, Any], Case], tuple[str, ...]]]:
    """Each way with questions that it is for, and what a model writes of them."""

    def wanted(*queries: dict[str, str]) -> dict[str, int]:
        return {key: n for query in queries for key, n in bench.relevant[query["_id"]].items()}

    def plain(**written: Any) -> Callable[[Any, Any], Case]:
        def make(one: Any, other: Any) -> Case:
            told = {key: value(one, other) for key, value in written.items()}
            return Case(one["text"], wanted(one), (), json.dumps(told))

        return make

    def follow_up(one: Any, other: Any) -> Case:
        told = json.dumps({"standalone": one["text"]})
        return Case("And why is that?", wanted(one), (other["text"], one["text"]), told)

    def compound(one: Any, other: Any) -> Case:
        second = other["text"][0].lower() + other["text"][1:]
        both = f"{one['text'].rstrip('?')} and {second}"
        told = json.dumps({"sub_questions": [one["text"], other["text"]]})
        return Case(both, wanted(one, other), (), told)

    def foreign(one: Any, _other: Any) -> Case:
        told = json.dumps({"translation": one["text"]})
        return Case(bench.twins[one["_id"][3:]], wanted(one), (), told)

    def same(one: Any, _other: Any) -> str:
        return str(one["text"])

    def wrong(_one: Any, other: Any) -> str:
        return str(other["text"])

    def nonsense(one: Any, _other: Any) -> Case:
        return Case(one["text"], wanted(one), (), "I would rather talk about the weather.")

    return [
        ("rules: follow-up", follow_up, ("follow_ups",)),
        ("rules: parts of compound questions", compound, ("parts",)),
        ("rules: all, on questions that need none",
         plain(), ("follow_ups", "parts", "filters", "glossary")),
        ("model: follow-up written out", follow_up, ("standalone",)),
        ("model: sub-questions", compound, ("sub_questions",)),
        ("model: Chinese questions translated", foreign, ("translation",)),
        ("model: wrong rewrites", plain(rewrites=lambda a, b: [wrong(a, b)]), ("rewrites",)),
        ("model: wrong passage (HyDE)", plain(hypothetical=wrong), ("hypothetical",)),
        ("model: wrong step back", plain(step_back=wrong), ("step_back",)),
        ("model: the question again", plain(rewrites=lambda a, b: [same(a, b)]), ("rewrites",)),
        ("model: nonsense", nonsense, ("rewrites", "hypothetical", "step_back")),
    ]  # fmt: skip


def show(rules: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    said = Table("rules", "right", "of", "wrong")
    for name, row in rules.items():
        said.add_row(name, str(row["right"]), str(row["of"]), "\n".join(row["wrong"]))
    found = Table("way", "nDCG@10 off", "on", "recall@10 off", "on", "question takes part")
    for row in rows:
        off, on = row["off"], row["on"]
        cells = (off["ndcg"], on["ndcg"], off["recall"], on["recall"], f"{on['kept']:.0%}")
        found.add_row(row["way"], *map(str, cells))
    console = Console(width=120)
    console.print(said)
    if rows:
        console.print(found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "data", nargs="*", type=Path, help="the same questions, English and Chinese"
    )
    parser.add_argument("--queries", type=int, default=QUERIES, help="at most about so many")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    with MODEL, django_on_a_throwaway_home():
        rules = check_rules()
        rows = measure(options.data, options.queries) if len(options.data) > 1 else []
    show(rules, rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"rules": rules, "ways": rows}, indent=1))
    is_kept = all(row["on"]["kept"] == 1 for row in rows)
    return int(not is_kept or any(len(row["wrong"]) > MOST_WRONG for row in rules.values()))


if __name__ == "__main__":
    sys.exit(main())
