"""How well guardrails find what they look for, and at what cost: `python -m benchmarks.guardrails`.

Precision and recall of each detector over the labelled texts of `guardrail_texts` (whoever wrote
the detectors wrote these, too: they are an upper bound), what a check takes, and what an answer of
400 pieces takes with rules on it beside the same answer without, in time of the processor. No
server is needed; rules that ask an endpoint take what that takes.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from benchmarks.guardrail_texts import MAKERS, Labelled, texts

ROOT = Path(__file__).resolve().parents[1]
PIECES, ROUNDS = 400, 30
LEAST_PRECISION, LEAST_RECALL = 0.95, 0.9
ANSWER = (
    "The travel policy allows trains for distances below 600 km [1]. Ask your manager before "
    "you book; receipts go to the finance team within 30 days. 出差住宿每晚上限為三千元。"
)


def rule(
    kind: str, places: tuple[str, ...] = ("output",), action: str = "mask", **more: Any
) -> Any:
    from agents.guardrails.rules import ADAPTER

    given = {"name": kind, "kind": kind, "places": list(places), "action": action}
    return ADAPTER.validate_python(given | more)


def quality(labelled: list[Labelled]) -> dict[str, Any]:
    """By label: of what was found how much was right, of what is there how much was found."""
    from agents.guardrails.checks import spans_of

    rules = (rule("personal_data"), rule("secrets"))
    found = {label: [0, 0, 0] for label in MAKERS}  # right, wrong, missed
    for one in labelled:
        spans = [(s.label, one.text[s.start : s.end]) for r in rules for s in spans_of(one.text, r)]
        expected = [(label, value) for label, values in one.values.items() for value in values]
        for label, value in spans:
            is_right = any(label == other and _same(value, known) for other, known in expected)
            found[label][0 if is_right else 1] += 1
        for label, value in expected:
            if not any(label == other and _same(known, value) for other, known in spans):
                found[label][2] += 1
    return {label: _scores(*counts) for label, counts in found.items()}


def _same(found: str, known: str) -> bool:
    """All of it, give or take a sign at its end."""
    return known.strip(".!,") in found or (found in known and len(found) >= 0.9 * len(known))


def _scores(right: int, wrong: int, missed: int) -> dict[str, Any]:
    return {
        "precision": round(right / max(right + wrong, 1), 3),
        "recall": round(right / max(right + missed, 1), 3),
        "right": right, "wrong": wrong, "missed": missed,
    }  # fmt: skip


def checks(labelled: list[Labelled]) -> dict[str, float]:
    """Microseconds for 1,000 characters, by kind."""
    from agents.guardrails.checks import check

    joined = "\n".join(one.text for one in labelled)
    parts = [joined[at : at + 1000] for at in range(0, 40_000, 1000)]
    rules = {
        "personal_data": rule("personal_data"), "secrets": rule("secrets"),
        "regex": rule("regex", pattern=r"\bproject-\d{4}\b"),
        "domains": rule("domains", allowed=["example.org"]),
        "language": rule("language", action="block", languages=["en"]),
        "injection": rule("injection", ("retrieved",), "warn"),
        "length": rule("length", action="block", most=10**6),
    }  # fmt: skip
    took = {}
    for name, one in rules.items():
        rounds = []
        for _ in range(5):
            began = time.process_time()
            for part in parts:
                check(part, one)
            rounds.append((time.process_time() - began) / len(parts) * 1e6)
        took[name] = round(median(rounds), 1)
    return took


async def answer(rules: tuple[Any, ...]) -> tuple[float, int]:
    """Milliseconds of one answer that comes at once, and the most characters that were held."""
    from agents.guardrails.admitting import admitted
    from agents.guardrails.answering import heard
    from agents.types import AgentSpec, AgentTask
    from gateway.types import Completed, TextDelta, TokenUsage

    told = 0

    async def words() -> AsyncIterator[Any]:
        nonlocal told
        text = ANSWER * 40
        for n in range(PIECES):
            piece = text[n * 8 : n * 8 + 8]
            told += len(piece)
            yield TextDelta(piece)
        yield Completed("stop", TokenUsage(), "m", "e", 1, 1)

    async def none() -> tuple[Any, ...]:
        return rules

    user: Any = SimpleNamespace(pk=uuid4())
    task = await admitted(AgentTask(AgentSpec(), user, "How do I travel?"), none)
    began, shown, held = time.process_time(), 0, 0
    async for item in heard(task, words()):  # type: ignore[arg-type]  # a generator of items
        shown += len(getattr(item, "text", ""))
        held = max(held, told - shown)
    return (time.process_time() - began) * 1000, held


async def streams() -> dict[str, Any]:
    sets = {
        "no rules": (),
        "rules of the question alone": (rule("personal_data", ("input",)),),
        "personal data and secrets": (rule("personal_data"), rule("secrets")),
        "five rules": (
            rule("personal_data"), rule("secrets"), rule("regex", pattern=r"project-\d{4}"),
            rule("domains", allowed=["example.org"]),
            rule("language", action="warn", languages=["en", "zh-hant"]),
        ),
    }  # fmt: skip
    found = {}
    for name, rules in sets.items():
        took = [await answer(rules) for _ in range(ROUNDS)]
        times = [ms for ms, _held in took]
        found[name] = {
            "ms_p50": round(median(times), 2),
            "ms_p95": round(quantiles(times, n=20)[-1], 2),
            "held_characters": max(held for _ms, held in took),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
        os.environ |= {"PARLEY_HOME": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
        os.environ |= {"LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        labelled = texts()
        found: dict[str, Any] = {
            "load": [round(one, 2) for one in os.getloadavg()],
            "texts": len(labelled),
            "quality": quality(labelled),
            "us_for_1000_characters": checks(labelled),
            "answer_of_3200_characters": asyncio.run(streams()),
        }
    scores = found["quality"].values()
    found["is_met"] = all(
        one["precision"] >= LEAST_PRECISION and one["recall"] >= LEAST_RECALL for one in scores
    )
    text = json.dumps(found, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
