"""OpenAI's vocabularies, by tiktoken; its servers have no `/tokenize`. No Django here.

Nothing is downloaded. A vocabulary takes 60 MB and a second on its first use, which is why nobody
asks on an event loop.
"""

import base64
import gzip
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import Thread

import tiktoken

HOME = Path(__file__).with_name("vocabularies")
_begun: set[str] = set()
_ready: set[str] = set()
# How a text is split before pairs of bytes are joined, as tiktoken_ext.openai_public has it.
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER, _LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_SPLITS = {
    "o200k_base": "|".join(
        [
            rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}",
            rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
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


def is_ready(model: str) -> bool:
    """Whether its vocabulary is loaded; if not, a thread has begun to."""
    name = encoding_of(model)
    if name not in _begun:
        _begun.add(name)
        Thread(target=_load, args=(name,), name="vocabulary", daemon=True).start()
    return name in _ready


def _load(name: str) -> None:
    _encoding(name)
    _ready.add(name)


def bundled_tokens(model: str, text: str) -> list[tuple[int, str]]:
    """Ids and texts of a word's tokens; blocks for a moment the first time."""
    encoding = _encoding(encoding_of(model))
    return [
        (number, encoding.decode_single_token_bytes(number).decode(errors="replace"))
        for number in encoding.encode_ordinary(text)
    ]


def count_tokens(model: str, texts: Iterable[str]) -> int:
    """Of a model that has a vocabulary here. For threads: a long prompt takes milliseconds, which
    others need not wait for."""
    encoding = _encoding(encoding_of(model))
    return sum(len(encoding.encode_ordinary(text)) for text in texts)


def text_of(tokens: Iterable[int], name: str = "cl100k_base") -> str:
    """What these tokens say; raises KeyError for a number that is none. Blocks for a moment the
    first time."""
    encoding = _encoding(name)
    return b"".join(_word(encoding, number) for number in tokens).decode(errors="replace")


def _word(encoding: tiktoken.Encoding, number: int) -> bytes:
    try:
        return encoding.decode_single_token_bytes(number)
    except (KeyError, OverflowError) as error:
        raise KeyError(number) from error


@cache
def _encoding(name: str) -> tiktoken.Encoding:
    lines = gzip.decompress((HOME / f"{name}.gz").read_bytes()).split(b"\n")
    ranks = {base64.b64decode(line): number for number, line in enumerate(lines) if line}
    return tiktoken.Encoding(name, pat_str=_SPLITS[name], mergeable_ranks=ranks, special_tokens={})
