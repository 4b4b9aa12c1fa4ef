"""The values of a reused answer."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self
from uuid import UUID

Place = tuple[int, UUID, int]  # number of a passage, its document, and where in it

Reuse = Literal["off", "person", "shared"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model once said, and what it took; `places` are the passages that its marks mean."""

    text: str
    model: str
    endpoint: str
    made_at: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    places: tuple[Place, ...] = field(default=())

    def packed(self) -> dict[str, Any]:
        places = [[n, str(document_id), start] for n, document_id, start in self.places]
        return asdict(self) | {"places": places}

    @classmethod
    def unpacked(cls, value: dict[str, Any]) -> Self:
        """Raises TypeError, ValueError or LookupError for anything else."""
        places = tuple((n, UUID(document_id), start) for n, document_id, start in value["places"])
        return cls(**value | {"places": places})


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
