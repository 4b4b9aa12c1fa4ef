"""What a run had read when its model first spoke, by places alone: nobody's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a document, as it was: `digest` is of its words."""

    chunk_id: UUID
    document_id: UUID
    start: int
    end: int
    digest: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Passages under their numbers, the first `attached` of them from files of the question, the
    last `recalled` known from the text that is gone on from; and what the run had come upon.
    `before` is the run that this one goes on from."""

    passages: Mapping[int, tuple[Place, ...]] = field(default_factory=dict)
    attached: int = 0
    taints: frozenset[str] = frozenset()
    readers: frozenset[UUID] = frozenset()
    before: UUID | None = None
    recalled: int = 0
