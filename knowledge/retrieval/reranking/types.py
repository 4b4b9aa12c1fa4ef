"""The values of reranking."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.labels import Demand
from gateway.types import NOBODY, ChatRequest, FindRoutes, Payer, StreamItem
from knowledge.types import Passage

Way = Literal["endpoint", "cross_encoder", "listwise", "features"]
Trouble = Literal["", "late", "nonsense", "unavailable"]
Chat = Callable[[ChatRequest], AsyncGenerator[StreamItem, None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, on whose account it is, what is demanded of whoever sees the passages, and
    which chat model may be asked; without `chat` none is."""

    question: str
    payer: Payer = NOBODY
    demands: tuple[Demand, ...] = ()
    model: str = ""
    chat: Chat | None = None
    routes: FindRoutes | None = None


@dataclass(frozen=True, slots=True)
class Reranked:
    """The passages in their new order, with new scores; or as they were, and what went wrong."""

    passages: tuple[Passage, ...]
    way: Way
    depth: int
    took_ms: float
    model: str = ""
    trouble: Trouble = ""


class Nonsense(Exception):
    """What came back is no order of the passages."""


def texts_of(passages: Sequence[Passage]) -> list[str]:
    """What stands for each passage: where it is from, the names of its columns, its words."""
    return [
        "\n".join(filter(None, [" › ".join([p.title, *p.heading_path]), p.head, p.text]))
        for p in passages
    ]
