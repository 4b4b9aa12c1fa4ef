"""What must agree before two texts count as saying the same: numbers, and whether it is denied.

Wording alone cannot tell "within 30 days" from "within 90 days", or "must" from "must not".
"""

import re
import unicodedata
from functools import cache

_UNITS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_MONTHS = re.findall(
    r"\w+",
    "january february march april may june july august september october november december",
)
_WORDS = (
    {word: n for n, word in enumerate(_UNITS)}
    | {word: 10 * n for n, word in enumerate(_TENS, 2)}
    | {"hundred": 100, "thousand": 1000, "dozen": 12}
)
_DATES = {word[:3]: n for n, word in enumerate(_MONTHS, 1)}
_MONTH = "|".join(f"{word[:3]}(?:{word[3:]})?" if word[3:] else word for word in _MONTHS)
_HAN_DIGITS = {digit: n for n, digit in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "兩": 2,
}  # fmt: skip
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_LARGE = 10**4
_TOLD_WORDS = 10  # below it a number in words is as often a turn of phrase

_DIGITS = re.compile(r"\d+(?:[,\u00a0\u202f']\d{3})*(?!\d)(?:\.\d+)?|\d+")
_WORD = re.compile(
    rf"\b(?P<tens>{'|'.join(_TENS)})[- ](?P<unit>{'|'.join(_UNITS[1:10])})\b"
    rf"|\b(?P<word>{'|'.join(_WORDS)})\b"
)
_MONTH_NAME = re.compile(rf"\b(?:{_MONTH})\b")
_HAN = re.compile("[零〇一二三四五六七八九十百千万萬亿億两兩]{2,}|[一二三四五六七八九十两兩]")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot)\b|n['’]t\b|[不没沒未无無非勿别別]"
)


def numbers_told(text: str) -> frozenset[str]:
    """The numbers that a claim makes: in digits, and in words where they are more than a phrase."""
    text = _normal(text)
    told = {_plain(found) for found in _DIGITS.findall(text)}
    told |= {str(value) for value in _in_words(text) if value >= _TOLD_WORDS}
    return frozenset(told)


def numbers_given(text: str) -> frozenset[str]:
    """The numbers that a text says, in whatever form, months of dates as well."""
    text = _normal(text)
    given = {_plain(found) for found in _DIGITS.findall(text)}
    given |= {part for found in _DIGITS.findall(text) for part in re.findall(r"\d+", found)}
    given |= {str(value) for value in _in_words(text)}
    given |= {str(_DATES[name[:3]]) for name in _MONTH_NAME.findall(text)}
    given |= {str(_han(found)) for found in _HAN.findall(text)}
    return frozenset(given)


def is_denied(text: str) -> bool:
    """Whether it holds an odd number of negations."""
    return len(_NEGATION.findall(text.lower())) % 2 == 1


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _plain(number: str) -> str:
    """1,000.50 as 1000.5 and 007 as 7."""
    whole, _, fraction = re.sub(r"[,\s']", "", number).partition(".")
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _in_words(text: str) -> list[int]:
    english = [
        _WORDS[found["tens"]] + _WORDS[found["unit"]] if found["tens"] else _WORDS[found["word"]]
        for found in _WORD.finditer(text)
    ]
    return english + [_han(found) for found in _HAN.findall(text) if len(found) > 1]


@cache
def _han(numeral: str) -> int:
    """三百二十 is 320, 二〇二六 is 2026."""
    if not any(character in _HAN_UNITS for character in numeral):
        return int("".join(str(_HAN_DIGITS[character]) for character in numeral))
    whole = part = digit = 0
    for character in numeral:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
            continue
        unit = _HAN_UNITS[character]
        if unit >= _LARGE:
            whole, part = (whole + part + digit or 1) * unit, 0
        else:
            part += (digit or 1) * unit
        digit = 0
    return whole + part + digit
