"""The values of a search. No Django here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Way(StrEnum):
    """How a query came to be from what a person asked."""

    ORIGINAL = "original"
    STANDALONE = "standalone"  # a follow-up that says again what it is about
    REWRITE = "rewrite"
    HYPOTHETICAL = "hypothetical"  # a passage that could be the answer (HyDE, Gao 2022)
    PART = "part"  # of a question that asks several things
    STEP_BACK = "step_back"  # the more general question behind it (Zheng 2023)
    TRANSLATION = "translation"


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for; its passages count `weight` times in the fusion of all queries."""

    text: str
    way: Way = Way.ORIGINAL
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows a search beyond permission, which it can never widen; None narrows nothing.

    `file_types` are the short names of `knowledge.file_types`, `languages` codes as documents have
    them; `from_` is included, `until` is not.
    """

    documents: tuple[UUID, ...] | None = None
    sources: tuple[UUID, ...] | None = None
    file_types: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    from_: datetime | None = None
    until: datetime | None = None
