"""OpenAI's vocabularies, bundled because its servers have no `/tokenize`. No Django here.

Byte-pair encoding after Sennrich et al. (2016) in tiktoken's form: of all neighbours the pair with
the lowest rank is joined, until no pair has a rank. 25 MB and a tenth of a second on first use.
"""

import base64
import gzip
import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

HOME = Path(__file__).with_name("vocabularies")
# tiktoken's split of a text before pairs are joined, as exact as single words need it.
_REST = r"\d{1,3}| ?[^\w\s]+| ?_+|\s+"
_SHORT = r"'(?:[sdmt]|ll|ve|re)\b"
_PIECES = {
    "o200k_base": re.compile(rf" ?[^\W\d_]+(?:{_SHORT})?|{_REST}"),
    "cl100k_base": re.compile(rf"{_SHORT}| ?[^\W\d_]+|{_REST}"),
}
_ENCODINGS = (
    (re.compile(r"^(gpt-4o|gpt-4\.[1-9]|gpt-[5-9]|chatgpt-4o|o\d)"), "o200k_base"),
    (re.compile(r"^gpt-(4|3\.5)"), "cl100k_base"),
)


def encoding_of(model: str) -> str:
    """The name of the model's vocabulary, "" if it is not one of those here."""
    bare = model.rsplit("/", 1)[-1].removeprefix("ft:")
    return next((name for pattern, name in _ENCODINGS if pattern.match(bare)), "")


def has_vocabulary(model: str) -> bool:
    return bool(encoding_of(model))


def bundled_tokens(model: str, text: str) -> list[tuple[int, str]]:
    """Ids and texts of a word's tokens; blocks for a moment the first time."""
    name = encoding_of(model)
    ranks = _ranks(name)
    return [
        (ranks[token], token.decode(errors="replace"))
        for piece in _PIECES[name].findall(text)
        for token in _joined(piece.encode(), ranks)
    ]


def text_of(tokens: Iterable[int], name: str = "cl100k_base") -> str:
    """What these tokens say; raises KeyError for a number that is none. Blocks for a moment the
    first time."""
    return b"".join(map(_words(name).__getitem__, tokens)).decode(errors="replace")


def _joined(piece: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while len(parts) > 1:
        pairs = (ranks.get(a + b, len(ranks) * 2) for a, b in pairwise(parts))
        rank, at = min((rank, i) for i, rank in enumerate(pairs))
        if rank > len(ranks):
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


@cache
def _ranks(name: str) -> dict[bytes, int]:
    lines = gzip.decompress((HOME / f"{name}.gz").read_bytes()).split(b"\n")
    return {base64.b64decode(line): number for number, line in enumerate(lines) if line}


@cache
def _words(name: str) -> dict[int, bytes]:
    return {number: token for token, number in _ranks(name).items()}
