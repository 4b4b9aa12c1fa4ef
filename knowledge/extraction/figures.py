"""Pictures inside a document, drawn anew like every other image; nothing is ever fetched for them.

What cannot be drawn, is too small to be seen or is past a limit is left out: the text counts.
"""

import base64
import binascii
import hashlib
import re

from knowledge.extraction.picture import MOST_PIXELS, draw
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.extraction.styled import Styled
from knowledge.types import FIGURE, Drawn, FigureMark

MOST = 60  # pictures of one document
HEAVIEST = 16 * 1024 * 1024  # bytes of one as it stands in the file
ALL_DRAWN = 24 * 1024 * 1024  # bytes of all of them as they are stored
ALL_PIXELS = 4 * MOST_PIXELS  # unpacked for one document
LONGEST_ALT = 300  # characters
_DATA = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)


class Figures:
    """The pictures of one document in the order in which they stand; each is kept once."""

    def __init__(self) -> None:
        self.drawn: list[Drawn] = []
        self._known: dict[bytes, int | None] = {}
        self._bytes = 0
        self._pixels = 0

    def note(self, content: Styled, data: bytes, alt: str) -> None:
        """The picture stands where `content` ends, if it can be shown."""
        number = self._number(data)
        if number is not None:
            drawn = self.drawn[number - 1]
            told = " ".join(alt.split())[:LONGEST_ALT]
            content.note(FIGURE, str(FigureMark(number, drawn.width, drawn.height, told)))

    def _number(self, data: bytes) -> int | None:
        """Counted from 1."""
        name = hashlib.sha256(data).digest()
        if name not in self._known:
            self._known[name] = self._draw(data)
        return self._known[name]

    def _draw(self, data: bytes) -> int | None:
        if len(self.drawn) == MOST or not data or len(data) > HEAVIEST:
            return None
        try:
            drawn, pixels = draw(data, ALL_PIXELS - self._pixels)
        except ExtractionFailed:
            return None
        self._pixels += pixels
        self._bytes += len(drawn.data)
        if self._bytes > ALL_DRAWN:
            return None
        self.drawn.append(drawn)
        return len(self.drawn)


def data_of(address: str) -> bytes:
    """The bytes of a `data:` address of an image; none of any other."""
    head = _DATA.match(address)
    if head is None or len(address) > HEAVIEST * 2:
        return b""
    try:
        return base64.b64decode("".join(address[head.end() :].split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
