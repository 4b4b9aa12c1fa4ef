"""Files inside a message, read where they are: in memory, by the same readers as any other file.

A part that cannot be read costs nothing but itself: its name is said, as before.
"""

import io
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, cast

from knowledge.extraction.reasons import TOO_MUCH_TEXT, ExtractionFailed
from knowledge.extraction.text_builder import TextBuilder
from knowledge.file_kinds import EML, FILE_TYPES, MBOX
from knowledge.types import BlockKind, Extracted

LARGEST = 50 * 1024 * 1024
MOST = 50  # of a file with all messages in it
Read = Callable[[Path, str], Extracted]


class Held:
    """Bytes with the few methods of a path that readers use."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self, _mode: str = "rb") -> io.BytesIO:
        return io.BytesIO(self._data)

    def read_bytes(self) -> bytes:
        return self._data


def kind_of(name: str) -> str:
    """By its name alone; "" for what no reader is for, and for messages, which mail has itself."""
    ending = PurePath(name).suffix.lower()
    if not ending:
        return ""
    found = next((known for known in FILE_TYPES if ending in known.endings), None)
    return "" if found is None or found in (EML, MBOX) else found.kind


class Attachments:
    """Adds what attached files say to the text of their message."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = MOST

    def add(self, builder: TextBuilder, name: str, data: bytes, level: int) -> None:
        """A section of its own, under the file's name."""
        kind = kind_of(name)
        if not kind or not data or len(data) > LARGEST or not self._left:
            return
        self._left -= 1
        try:
            found = self._read(cast("Path", Held(data)), kind)
        except MemoryError:
            raise
        except ExtractionFailed as failure:
            if str(failure) == TOO_MUCH_TEXT:
                raise
            return
        except Exception:  # noqa: BLE001 - any parser may raise anything; the message is readable
            return
        builder.add(BlockKind.HEADING, name, level=level)
        for block in found.blocks:
            self._append(builder, found, block, level)

    def _append(self, builder: TextBuilder, found: Extracted, block: Any, level: int) -> None:
        """Its words without their looks: marks and pages are those of another file."""
        deeper = block.level + level if block.kind is BlockKind.HEADING else 0
        builder.add(block.kind, found.text[block.start : block.end], level=deeper)
