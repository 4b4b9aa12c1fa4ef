"""Text to search terms: one analyzer for English and Chinese, without a dictionary.

NFKC and lower case; Traditional characters folded to Simplified; Latin runs split on `_`, without
stop words, stemmed (Snowball English), names in camel case also by their parts; Chinese, Japanese
and Korean runs as single characters and pairs. Documents and questions take the same way.
"""

import re
import threading
import unicodedata
import zlib
from functools import cache, lru_cache

import opencc
import Stemmer

# The dimensions of a pgvector sparsevec; term ids are 0 … TERM_SPACE - 1.
TERM_SPACE = 1_000_000_000
LONGEST_TOKEN = 64

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+")
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_LETTER = re.compile(r"[^\W\d_]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Words of function and of asking. Question words matter: "what is the purpose of …" must not find
# the passages that say "what" (0.06 nDCG@10 on questions over source code).
_FUNCTION_WORDS = (
    "a about above after again against all am an and any are as at be because been before being "
    "below between both but by can d did do does doing don down during each few for from further "
    "had has have having he her here hers herself him himself his how i if in into is it its "
    "itself just ll m me more most my myself no nor not now of off on once only or other our ours "
    "ourselves out over own re s same she should so some such t than that the their theirs them "
    "themselves then there these they this those through to too under until up ve very was we "
    "were what when where which while who whom why will with would you your yours yourself "
    "yourselves"
)
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
_local = threading.local()


def analyze(text: str) -> list[str]:
    """Return the terms of `text` in order, repeats included."""
    terms: list[str] = []
    for found in _RUN.finditer(_normalize(text)):
        run = found.group()
        if found["cjk"]:
            terms.extend(run)
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            terms += _analyze_word(run[:LONGEST_TOKEN])
    return terms


def split(text: str) -> list[str]:
    """The words and the Chinese runs of `text` in order, normalised, before they become terms."""
    return [found.group() for found in _RUN.finditer(_normalize(text))]


@lru_cache(maxsize=65_536)
def _analyze_word(word: str) -> tuple[str, ...]:
    """The stem; for a name such as `DiffExecutor` those of its parts as well."""
    words = [word]
    if not word.islower():
        parts = _HUMP.split(word)
        words += [part for part in parts if len(parts) > 1 and len(part) > 1]
    return tuple(_stem(lower) for lower in map(str.lower, words) if lower not in _STOP_WORDS)


def _normalize(text: str) -> str:
    """NFKC, and Simplified for Traditional characters; the case is kept."""
    return simplified(unicodedata.normalize("NFKC", text))


def simplified(text: str) -> str:
    """`text` in Simplified characters."""
    return text if text.isascii() else _simplifier().convert(text)


@lru_cache(maxsize=65_536)
def term_id(term: str) -> int:
    """A stable number below `TERM_SPACE`; different terms very rarely share one."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass")) % TERM_SPACE


def cjk_share(text: str) -> float:
    """The share of Chinese, Japanese and Korean characters among the letters of `text`."""
    if text.isascii():
        return 0.0
    letters = len(_LETTER.findall(text))
    return len(_CJK_CHARACTER.findall(text)) / letters if letters else 0.0


def is_cjk(text: str) -> bool:
    """Whether `text` counts as Chinese where retrieval has to choose a leg or a weight."""
    return cjk_share(text) > 0.2


def guess_language(text: str) -> str:
    """`zh-hans`, `zh-hant`, `en`, or nothing where the beginning of the text does not tell."""
    sample = text[:4000]
    if is_cjk(sample):
        simplified = _simplifier().convert(sample)
        changed = sum(a != b for a, b in zip(sample, simplified, strict=False))
        return "zh-hant" if changed > 0.05 * len(_CJK_CHARACTER.findall(sample)) else "zh-hans"
    words = re.findall(r"[a-z]+", sample.lower())
    return "en" if sum(word in _STOP_WORDS for word in words) > 0.15 * len(words) else ""


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _stem(word: str) -> str:
    # A stemmer keeps state while it works: one for each thread.
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    return str(_local.stemmer.stemWord(word))
