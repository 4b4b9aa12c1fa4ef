"""The codes of "Why this answer" in words, and shares as widths."""

import re
from typing import Any

from django import template

from chat.why import wording
from chat.why.types import Reranking
from knowledge.trials.comparing import RANKERS

register = template.Library()
_MARKS = re.compile(r"\*\*|~~|`|^#+ |^> ", re.MULTILINE)


@register.filter
def way(code: str) -> str:
    return str(wording.WAYS.get(code, code))


@register.filter
def stage(code: str) -> str:
    return str(wording.STAGES.get(code, code))


@register.filter
def fate(code: str) -> str:
    return str(wording.FATES.get(code, code))


@register.filter
def ranker(by: Reranking) -> str:
    """The model's name, else what kind of reranker it was."""
    known: dict[str, Any] = {str(way): said for way, said in RANKERS.items()}
    return by.model or str(known.get(by.way, by.way))


@register.filter
def block(code: str) -> str:
    return str(wording.BLOCKS.get(code, code))


@register.filter
def unmarked(sentence: str) -> str:
    """Without the marks of Markdown that a sentence was cut out with."""
    return _MARKS.sub("", sentence)


@register.filter
def width(share: float) -> str:
    """A share as an attribute of SVG has it, in every language with a point."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


@register.filter
def seconds(ms: float) -> float:
    return ms / 1000
