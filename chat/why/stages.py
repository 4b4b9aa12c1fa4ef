"""How long each stage of an answer took, one after the other. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chat.why.types import Block, Stage

PARTS = ("embed", "sql")  # of a search
SMALLEST = 0.5  # milliseconds: less than that is nothing


def find_stages(
    steps: Mapping[str, Mapping[str, Any]],
    usage: Mapping[str, Any] | None,
    total_ms: float | None,
) -> tuple[Stage, ...]:
    """`steps` are data by kind. What of the whole time nothing explains comes first: the question
    waited, was saved, was given to a runner."""
    stages = [
        *_took("understood", steps.get("query_rewritten")),
        *_took("read", steps.get("attachments_read")),
        *_took("searched", steps.get("retrieval_completed")),
        *_parts(steps.get("search_kept", {}).get("timings", {})),
        *_took("reranked", steps.get("passages_reranked")),
        *_took("called", steps.get("tool_completed")),
        *_spoken(usage or {}, steps.get("reasoning_completed", {}).get("took_ms")),
    ]
    known = sum(stage.ms for stage in stages if not stage.is_part)
    if total_ms is not None and total_ms - known > SMALLEST:
        stages.insert(0, Stage("waited", total_ms - known))
    return _placed(stages)


def placed_blocks(kept: Sequence[Sequence[Any]], titles: Mapping[int, str]) -> tuple[Block, ...]:
    """The parts of a prompt with their shares of it."""
    whole = sum(tokens for _, tokens, _ in kept) or 1
    found, before = [], 0
    for kind, tokens, n in kept:
        title = titles.get(n, "") if kind == "passage" else ""
        found.append(Block(kind, tokens, n, tokens / whole, before / whole, title))
        before += tokens
    return tuple(found)


def _took(name: str, data: Mapping[str, Any] | None) -> list[Stage]:
    ms = (data or {}).get("took_ms") or 0.0
    return [Stage(name, ms)] if ms > SMALLEST else []


def _parts(timings: Mapping[str, float]) -> list[Stage]:
    """In the order they come in, which JSON does not keep."""
    known = {name.removesuffix("_ms"): ms for name, ms in timings.items()}
    order = sorted(known, key=lambda name: PARTS.index(name) if name in PARTS else len(PARTS))
    return [Stage(name, known[name], is_part=True) for name in order if known[name] > SMALLEST]


def _spoken(usage: Mapping[str, Any], thought: float | None) -> list[Stage]:
    """Until the first word, and from then on; a model may have thought in between."""
    first, whole = usage.get("first_token_ms"), usage.get("total_ms")
    if whole is None:
        return []
    first = min(first or 0, whole)
    stages = [Stage("first_word", first), Stage("wrote", whole - first)]
    if thought:
        stages.insert(1, Stage("thought", thought, is_part=True))
    return [stage for stage in stages if stage.ms > SMALLEST]


def _placed(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """With the shares of the whole at which they begin and that they take; parts begin where the
    one before them ended."""
    stages = list(stages)
    whole = sum(stage.ms for stage in stages if not stage.is_part) or 1.0
    placed, at, inside = [], 0.0, 0.0
    for stage in stages:
        if stage.is_part:
            begin, share = inside, min(stage.ms / whole, at - inside)
            inside += max(share, 0)
        else:
            begin, share = at, stage.ms / whole
            inside, at = at, at + share
        placed.append(replace(stage, share=max(share, 0.0), offset=begin))
    return tuple(placed)
