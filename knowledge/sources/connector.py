"""What a kind of source has to be able to do: list what it has, lazily, and hand over the bytes."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from knowledge.storage import Readable

LONGEST_ID = 4000


class SourceUnusable(Exception):
    """The source as a whole cannot be read; the text is for whoever set it up, and translated."""


class ItemFailed(Exception):
    """One item cannot be had. `may_try_again`: not because of what it is, so perhaps next time."""

    def __init__(self, reason: str, *, may_try_again: bool = True) -> None:
        super().__init__(reason)
        self.may_try_again = may_try_again


@dataclass(slots=True)
class Found:
    """An item as its source lists it.

    The same `mark` as last time means the same bytes, which are then not asked for. An item with
    `failure` was listed, and cannot be had; with `is_unchanged` the source said itself that it is
    what it was. `is_final` failures are not tried again before the mark changes.
    """

    external_id: str
    file_name: str
    title: str = ""
    address: str = ""
    mark: str = ""
    size: int | None = None
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    commit: str = ""
    links: list[str] = field(default_factory=list)
    is_unchanged: bool = False
    failure: str = ""
    is_final: bool = False
    body: bytes | None = None

    @property
    def key(self) -> UUID:
        return key_of(self.external_id)


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that the source says it does not have any more."""

    external_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an item from the visit before."""

    etag: str = ""
    last_modified: str = ""
    links: tuple[str, ...] = ()
    is_seen: bool = False  # in this very run, before it was interrupted
    was_read: bool = True  # ever: else nobody knows where it leads


class Walk(Protocol):
    """What a walk may ask of the one who walks."""

    cursor: Mapping[str, object]
    is_preview: bool

    def known(self, external_id: str) -> Known | None:
        """What is remembered of the item."""

    def failed_before(self) -> list[str]:
        """External ids of those that are to be tried again, although nothing tells of them."""

    def check(self) -> None:
        """Raise what ends the walk: a pause, an end, a lost lease. Call it wherever it is slow."""

    def tell(self, stage: str, done: int, total: int) -> None:
        """Show progress of what comes before the items: a repository being fetched."""


class Connector(Protocol):
    """One source, opened. Raises `SourceUnusable` from anywhere."""

    # After a walk: what it has not listed is gone from the source.
    is_complete: bool
    # It named only what differs from the visit before, and what is gone.
    lists_changes: bool
    # After a walk: what to be given as `cursor` next time.
    cursor: dict[str, object]
    # During a walk, when it is known: how many items there are.
    total: int | None
    # After a walk: what people should know of it although it went well; an English source string.
    remark: str

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        """List the items, one at a time."""

    def fetch(self, found: Found) -> AbstractContextManager[Readable]:
        """The bytes of an item of this walk; raises `ItemFailed`."""

    def close(self) -> None:
        """Let go of what is open."""


Opener = Callable[..., Connector]


def key_of(external_id: str) -> UUID:
    """By what an item is found in its source, however long its name."""
    return UUID(bytes=hashlib.sha256(external_id.encode(errors="surrogateescape")).digest()[:16])
