"""Whether two texts are the same, or nearly: four numbers a text, compared without reading it.

`same` is a hash of the words alone: case, white space and punctuation aside. The three `like` are
each a hash of six minima (Broder 1997) over stretches of four words, in Chinese of four characters:
texts that share 95 % of them have one of the three in common in 98 cases of a hundred, texts that
share half in 5.
"""

import hashlib
import re
import unicodedata
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4
ROWS, BANDS = 6, 3
MOST_WORDS = 100_000
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
_FACTORS: NDArray[np.uint64] = np.random.default_rng(7).integers(
    1, 2**63, (2, ROWS * BANDS), np.uint64
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Signed, as Postgres keeps them."""

    same: int
    like: tuple[int, int, int]


def likeness_of(text: str) -> Likeness | None:
    """None for a text without words."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())[:MOST_WORDS]
    if not words:
        return None
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode(errors="surrogatepass") + b" ")
    hashes = _shingles(np.array([zlib.crc32(w.encode(errors="replace")) for w in words], np.uint64))
    minima = np.array(
        [int((hashes * factor + term).min()) for factor, term in _FACTORS.T], np.uint64
    )
    first, second, third = (
        _signed(minima[n * ROWS : (n + 1) * ROWS].tobytes()) for n in range(BANDS)
    )
    return Likeness(_signed(digest.digest()), (first, second, third))


def _shingles(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number for each stretch of words; it wraps around, as it should."""
    size = min(SHINGLE, len(words))
    count = len(words) - size + 1
    mixed = np.zeros(count, np.uint64)
    for n in range(size):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + words[n : n + count]
    return np.unique(mixed ^ (mixed >> np.uint64(29)))


def _signed(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), signed=True)
