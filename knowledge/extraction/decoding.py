"""Bytes to text where nobody says in which encoding they are."""

import codecs
import re

import charset_normalizer

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHINESE = ("gb18030", "big5hkscs")
# The most frequent characters, Simplified and Traditional: noise decoded as Chinese lacks them.
_FREQUENT = frozenset(
    "的一是不了在人有我他这個们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本"
    "這們來為國說時對過發後裡種經麼學現當沒動還進樣與無開關實點員請於會從電話間問題機"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_LONE_HIGH = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
SAMPLE = 65_536


def decode(data: bytes, declared: str = "") -> str:
    """Return the text of `data`: by its mark, as declared, as UTF-8, or as what fits best."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    for encoding in filter(None, (declared, "utf-8")):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode(_guess(data[:SAMPLE]), "replace")


def _guess(sample: bytes) -> str:
    score, encoding = max((_chinese_score(sample, name), name) for name in _CHINESE)
    if score > 0.1:
        return encoding
    if len(_LONE_HIGH.findall(sample)) * 2 > len(_HIGH.findall(sample)):
        return "cp1252"  # accents stand alone among ASCII letters
    best = charset_normalizer.from_bytes(sample).best()
    return best.encoding if best else "cp1252"


def _chinese_score(sample: bytes, encoding: str) -> float:
    """The share of frequent characters; nothing where many bytes mean nothing."""
    text = sample.decode(encoding, "replace")
    wide = [c for c in text if c >= "\u2e80"]
    if not wide or text.count("\ufffd") > len(text) * 0.02 + 1:
        return 0.0
    return sum(c in _FREQUENT for c in wide) / len(wide)
