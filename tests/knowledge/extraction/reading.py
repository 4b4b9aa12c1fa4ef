"""What tests ask of a file that was read."""

import itertools
from pathlib import Path

from knowledge.chunking import chunk
from knowledge.extraction.dispatch import read_file
from knowledge.types import ChunkDraft, Extracted

Said = list[tuple[str, str]]


def read(path: Path, kind: str, content: str | bytes | None = None) -> Extracted:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(path, kind)


def said(found: Extracted) -> Said:
    return [(block.kind.value, found.text[block.start : block.end]) for block in found.blocks]


def passages(found: Extracted, title: str = "") -> list[ChunkDraft]:
    """The passages of a file; each is its text from start to end."""
    drafts = chunk(found.text, found.blocks, title)
    assert all(found.text[d.start : d.end] == d.text for d in drafts)
    assert all(a.end <= b.start for a, b in itertools.pairwise(drafts))
    return drafts
