"""The language of a text by its script and its most frequent words; nothing to load.

For the glyphs it is shown in and for what is counted by language: search goes by script alone
(`analyzer.is_cjk`).
"""

import re
from collections import Counter

from knowledge.analyzer import guess_language as chinese_or_english

SAMPLE = 4_000  # characters
LEAST = 0.2  # of the letters, for a script
USUAL = 0.12  # of the words, for a language that shares its script with others

_LETTER = re.compile(r"[^\W\d_]")
_KANA = re.compile("[\u3041-\u30ff]")
_UKRAINIAN = re.compile("[іїєґІЇЄҐ]")
_SCRIPTS = tuple(
    (language, re.compile(f"[{letters}]"))
    for language, letters in (
        ("ko", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
        ("ru", "\u0400-\u04ff"),
        ("ar", "\u0600-\u06ff\u0750-\u077f"),
        ("he", "\u0590-\u05ff"),
        ("el", "\u0370-\u03ff"),
        ("hi", "\u0900-\u097f"),
        ("th", "\u0e00-\u0e7f"),
    )
)
# Words that one language has often and the others hardly; those of two languages decide nothing.
_WORDS = {
    "de": "der die das und ist nicht ein eine den dem zu mit von für auf sich auch werden bei "
    "wird sind oder im des als wenn wie nach",
    "fr": "le les des et est dans pour une que qui sur pas avec ce cette au aux par ou sont du "
    "vous nous il elle plus être",
    "es": "el los las y es en para una que por con del se al lo como más o su sus esta este son "
    "está no",
    "it": "il gli di e è per una che con del della dei non si da nel alla sono questo anche come "
    "più le",
    "pt": "o os as e é em para uma que com do da dos das não se no na por mais ao são como está",
    "nl": "de het een en van is niet dat op te met voor zijn aan er bij ook door als worden wordt "
    "naar om",
}
_USUAL = {language: frozenset(words.split()) for language, words in _WORDS.items()}


def guess_language(text: str) -> str:
    """`en`, `zh-hans`, `zh-hant`, `ja`, `de`, …; nothing where the beginning does not tell."""
    sample = text[:SAMPLE]
    if sample.isascii():
        return chinese_or_english(sample) or _by_words(sample)
    letters = len(_LETTER.findall(sample))
    if not letters:
        return ""
    if len(_KANA.findall(sample)) > letters * LEAST / 2:
        return "ja"
    for language, script in _SCRIPTS:
        if len(script.findall(sample)) > letters * LEAST:
            is_ukrainian = language == "ru" and _UKRAINIAN.search(sample)
            return "uk" if is_ukrainian else language
    return chinese_or_english(sample) or _by_words(sample)


def _by_words(sample: str) -> str:
    words = re.findall(r"[^\W\d_]+", sample.lower())
    counts = Counter(words)
    shares = {
        language: sum(counts[word] for word in counts.keys() & usual) / max(len(words), 1)
        for language, usual in _USUAL.items()
    }
    best, second = sorted(shares, key=lambda language: -shares[language])[:2]
    is_clear = shares[best] > max(USUAL, shares[second] * 1.3)
    return best if is_clear else ""
