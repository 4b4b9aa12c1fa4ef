"""What a question and a sentence have in common: weighted words, English and Chinese.

Only for choosing sentences among a few passages; searching a collection is not done here.
"""

import math
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache, lru_cache

import opencc
import Stemmer

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+")
_LETTER = re.compile(r"[^\W\d_]")
_IS_CJK = re.compile(f"[{_CJK}]")
# Words that frame a question or a sentence and say nothing about its subject.
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be been but by can could did do does for from had has "
        "have he her his how i if in into is it its many me much my no not of on or our "
        "she should so some such tell than that the their them then there these they this "
        "those to us was we were what when where which who whom whose why will with would "
        "you your about please explain describe ",
    )
)
_EMPTY_CJK = re.compile(
    "请问|什么|怎么样?|怎样|如何|为什么|为何|哪[里儿些个年位种]?|多少|几[个年位种次]?|是不是|有没有|"
    "谁|何时|何|吗|呢|的|了|是|在|和|与|及|或|把|被|对|于|由|从|到|就|都|也|而|这|那|"
    "个|些|有|我|你|他|她|它|们|一下|告诉|介绍|解释|说明"
)
SMALLEST_SET = 40
_local = threading.local()


def is_cjk(text: str) -> bool:
    """Whether more than a fifth of the letters are Chinese, Japanese or Korean."""
    letters = len(_LETTER.findall(text))
    return len(_IS_CJK.findall(text)) > letters / 5


def words(text: str) -> list[str]:
    """Comparable terms: stems of Latin words, single characters and pairs of Chinese ones."""
    terms: list[str] = []
    for found in _RUN.finditer(_folded(text)):
        run = found.group()
        if not found["cjk"]:
            if run not in _EMPTY_WORDS:
                terms.append(_stem(run[:64]))
            continue
        for part in _EMPTY_CJK.split(run):
            terms.extend(part)
            terms.extend(part[i : i + 2] for i in range(len(part) - 1))
    return terms


class Script(Enum):
    LATIN = "latin"
    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"


def script_of(text: str) -> Script:
    """Latin, or Chinese in one of its scripts; a Chinese text without any Traditional form counts
    as Simplified."""
    if not is_cjk(text):
        return Script.LATIN
    return Script.SIMPLIFIED if _simplifier().convert(text) == text else Script.TRADITIONAL


class Weights:
    """How telling each word is within one set of texts (inverse document frequency)."""

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        # Few sentences would make every missing word weigh too much.
        self._count = max(len(texts), SMALLEST_SET)
        self._frequency = Counter(word for text in texts for word in set(text))

    def of(self, word: str) -> float:
        frequency = self._frequency[word]
        return math.log(1 + (self._count - frequency + 0.5) / (frequency + 0.5))

    def coverage(self, wanted: Iterable[str], given: Iterable[str]) -> float:
        """The weighted share of the wanted words that are given, 0 to 1."""
        wanted, given = set(wanted), set(given)
        whole = sum(map(self.of, wanted))
        return sum(map(self.of, wanted & given)) / whole if whole else 0.0


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    return folded if folded.isascii() else str(_simplifier().convert(folded))


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")  # keeps state: one for each thread
    return str(_local.stemmer.stemWord(word))
