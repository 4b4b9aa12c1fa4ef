"""Line ends of Markdown and HTML that are none for readers: a passage is shown without them.

A character is shown in the place of each, so that every offset stays what it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from django.db import connection

INVISIBLE = "\u200b"  # between Chinese characters, where no space belongs


class Stretch(Protocol):
    """Of a document's text: a passage, a chunk."""

    @property
    def document_id(self) -> UUID: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def text(self) -> str: ...


def read_on(passages: Sequence[Stretch]) -> list[str]:
    """The text of each as a reader sees it; the layouts of their documents say where.

    Of passages that the caller may see: their documents are not asked about again.
    """
    places = _soft_places(passages)
    return [_joined(passage, places[n]) for n, passage in enumerate(passages)]


def _joined(passage: Stretch, places: Sequence[int]) -> str:
    signs = list(passage.text)
    for at in (place - passage.start for place in places):
        if 0 < at < len(signs) and signs[at] == "\n":
            signs[at] = " " if signs[at - 1].isascii() else INVISIBLE
    return "".join(signs)


def _soft_places(passages: Sequence[Stretch]) -> dict[int, list[int]]:
    """Offsets into the documents' texts, by the number of the passage."""
    found: dict[int, list[int]] = defaultdict(list)
    if not passages:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select wanted.n - 1, (mark ->> 0)::int
            from unnest(%s::uuid[], %s::int[], %s::int[]) with ordinality
                 as wanted(document_id, low, high, n)
            join knowledge_documenttext as stored using (document_id)
            cross join lateral jsonb_array_elements(stored.layout) as block
            cross join lateral jsonb_array_elements(block -> 4) as mark
            where (block ->> 1)::int < wanted.high and (block ->> 2)::int > wanted.low
              and mark ->> 2 = 'soft' and (mark ->> 0)::int between wanted.low and wanted.high
            """,
            [
                [passage.document_id for passage in passages],
                [passage.start for passage in passages],
                [passage.end for passage in passages],
            ],
        )
        for n, at in cursor.fetchall():
            found[n].append(at)
    return found
