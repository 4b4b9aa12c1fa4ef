"""Spans of days that words name, in English and Chinese, as somebody in a time zone means them.

Patterns match `folded` text: lower case, Simplified. A span includes its beginning, not its end;
either may be open.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

Span = tuple[date | None, date | None]

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTED = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_WORDS = {word: n for n, word in enumerate(_COUNTED, 1)}
_WORDS |= {"a": 1, "an": 1, "couple of": 2, "few": 3}
_CJK_DIGITS = {word: n for n, word in enumerate("零一二三四五六七八九十")} | {"两": 2, "半": 6}
_MONTH = rf"(?:sept|{'|'.join(f'{name}|{name[:3]}' for name in _MONTHS)})"
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_UNIT = r"(?:day|week|month|quarter|year)"
_POINT = (
    r"(?:\d{4}-\d{1,2}-\d{1,2}"
    rf"|{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+(?:19|20)\d\d)?(?!\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}\b\.?(?:,?\s+(?:19|20)\d\d)?"
    rf"|{_MONTH}\b\.?(?:,?\s+(?:19|20)\d\d)?|(?:19|20)\d\d|yesterday|today"
    rf"|last\s+(?:week|month|year)|(?:last\s+)?(?:{'|'.join(_WEEKDAYS)}))"
)
_POINT_CJK = (
    r"(?:(?:19|20)\d\d年(?:\d{1,2}月(?:份|\d{1,2}[日号])?)?|\d{1,2}月(?:份|\d{1,2}[日号])?"
    r"|\d{4}-\d{1,2}-\d{1,2}|今天|昨天|前天|去年|前年|今年|上个?月|上周|本月|本周)"
)


@dataclass(frozen=True, slots=True)
class Days:
    """A pattern and what its match means on a given day."""

    pattern: str
    mean: Callable[["re.Match[str]", date], Span | None]


def _shifted(day: date, months: int) -> date:
    """The first of the month that many months later."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _whole(unit: str, day: date, back: int) -> Span:
    """The week, month, quarter or year of `day`, or one so many before it."""
    if unit in {"day", "天", "日"}:
        return day - timedelta(back), day - timedelta(back - 1)
    if unit in {"week", "周"}:
        monday = day - timedelta(day.weekday() + 7 * back)
        return monday, monday + timedelta(7)
    months = {"month": 1, "月": 1, "quarter": 3, "季度": 3, "year": 12, "年": 12}[unit]
    first = _shifted(date(day.year, (day.month - 1) // months * months + 1, 1), -months * back)
    return first, _shifted(first, months)


def _recent(unit: str, count: int, day: date) -> Span:
    """From so many units ago until now, all of today."""
    days = {"day": 1, "week": 7, "天": 1, "日": 1, "周": 7}.get(unit)
    if days:
        return day - timedelta(days * count), day + timedelta(1)
    months = {"month": 1, "月": 1, "quarter": 3, "季度": 3, "year": 12, "年": 12}[unit] * count
    first = _shifted(day, -months)
    last = (_shifted(first, 1) - timedelta(1)).day
    return first.replace(day=min(day.day, last)), day + timedelta(1)


def _number(said: str) -> int:
    if said.isdigit():
        return int(said)
    return _WORDS.get(said) or _cjk_number(said)


def _cjk_number(said: str) -> int:
    """Up to ninety-nine."""
    tens, ten, ones = said.rpartition("十")
    if not ten:
        return _CJK_DIGITS[said]
    return (_CJK_DIGITS[tens] if tens else 1) * 10 + (_CJK_DIGITS[ones] if ones else 0)


def point(said: str, day: date) -> Span | None:
    """What a date, a month, a year or a weekday spans; None for a day that does not exist."""
    said = said.strip().replace(",", " ").replace(".", " ")
    relative = {
        "today": (0, "day"), "今天": (0, "day"), "yesterday": (1, "day"), "昨天": (1, "day"),
        "前天": (2, "day"), "last week": (1, "week"), "上周": (1, "week"), "本周": (0, "week"),
        "last month": (1, "month"), "上月": (1, "month"), "上个月": (1, "month"),
        "本月": (0, "month"), "last year": (1, "year"), "去年": (1, "year"), "前年": (2, "year"),
        "今年": (0, "year"),
    }  # fmt: skip
    if (known := relative.get(" ".join(said.split()))) is not None:
        return _whole(known[1], day, known[0])
    weekday = said.removeprefix("last").strip()
    if weekday in _WEEKDAYS:
        ago = (day.weekday() - _WEEKDAYS.index(weekday) - 1) % 7 + 1
        return day - timedelta(ago), day - timedelta(ago - 1)
    return _dated(said, day)


def _dated(said: str, day: date) -> Span | None:
    numbers = [int(number) for number in re.findall(r"\d+", said)]
    year = next((number for number in numbers if number > 1900), 0)
    rest = [number for number in numbers if number != year]
    named = re.search(rf"\b{_MONTH}\b", said)
    month = 0
    if named:
        month = [name[:3] for name in _MONTHS].index(named.group()[:3]) + 1
    elif rest:
        month, *rest = rest
    try:
        return _calendar(year, month, rest[0] if rest else 0, day)
    except (ValueError, OverflowError):  # the last day that there is has no next one
        return None


def _calendar(year: int, month: int, number: int, day: date) -> Span:
    """Without a year the latest such month that has begun."""
    if not month:
        return date(year, 1, 1), date(year + 1, 1, 1)
    if not year:
        year = day.year - (date(day.year, month, number or 1) > day)
    first = date(year, month, number or 1)
    return first, first + timedelta(1) if number else _shifted(first, 1)


def _from(said: str, day: date) -> Span | None:
    found = point(said, day)
    return (found[0], None) if found else None


def _before(said: str, day: date) -> Span | None:
    found = point(said, day)
    return (None, found[0]) if found else None


def _after(said: str, day: date) -> Span | None:
    found = point(said, day)
    return (found[1], None) if found else None


def _between(one: str, other: str, day: date) -> Span | None:
    first, last = point(one, day), point(other, day)
    if not first or not last or not first[0] or not last[1] or first[0] >= last[1]:
        return None
    return first[0], last[1]


ENGLISH = (
    Days(
        rf"(?:between|from)\s+(?P<a>{_POINT})\s+(?:and|to|until|till|through)\s+(?P<b>{_POINT})",
        lambda m, day: _between(m["a"], m["b"], day),
    ),
    Days(
        rf"(?:(?:from|in|within|over|during|of)\s+)?(?:the\s+)?(?:last|past|previous)\s+(?P<n>{_NUMBER})\s+(?P<unit>{_UNIT})s?",
        lambda m, day: _recent(m["unit"], _number(m["n"]), day),
    ),
    Days(rf"(?:since|starting)\s+(?P<a>{_POINT})", lambda m, day: _from(m["a"], day)),
    Days(
        rf"(?:before|until|till|older than|prior to)\s+(?P<a>{_POINT})",
        lambda m, day: _before(m["a"], day),
    ),
    Days(rf"(?:after|newer than)\s+(?P<a>{_POINT})", lambda m, day: _after(m["a"], day)),
    Days(
        rf"(?:(?:from|in|of|during)\s+)?(?:the\s+)?(?:last|previous|past)\s+(?P<unit>{_UNIT})\b",
        lambda m, day: _whole(m["unit"], day, 1),
    ),
    Days(
        rf"(?:(?:from|in|of|during)\s+)?(?:this|the current)\s+(?P<unit>{_UNIT})\b",
        lambda m, day: _whole(m["unit"], day, 0),
    ),
    Days(
        rf"(?:(?:from|in|of|on|during|dated)\s+)(?P<a>{_POINT})|(?P<b>yesterday|today)\b",
        lambda m, day: point(m["a"] or m["b"], day),
    ),
)
_COUNT_CJK = r"(?P<n>\d{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九半])"
_UNIT_CJK = r"个?(?P<unit>天|日|周|星期|月|季度|年)"


def _recent_cjk(found: "re.Match[str]", day: date) -> Span:
    if found["n"] == "半":
        return _recent("月", 6, day)
    return _recent(found["unit"].replace("星期", "周"), _number(found["n"]), day)


def _whole_cjk(found: "re.Match[str]", day: date) -> Span:
    return _whole(found["unit"].replace("星期", "周"), day, 1 if found["which"] == "上" else 0)


CHINESE = (
    Days(
        rf"(?:从|自|在)?(?P<a>{_POINT_CJK})(?:到|至|和|与)(?P<b>{_POINT_CJK})(?:之间|期间)?",
        lambda m, day: _between(m["a"], m["b"], day),
    ),
    Days(
        rf"(?:在)?(?:最近|过去|近|这)(?:的)?{_COUNT_CJK}{_UNIT_CJK}(?:内|以内|之内|以来|里)?",
        _recent_cjk,
    ),
    Days(rf"(?:从|自)?(?P<a>{_POINT_CJK})(?:以来|开始|起)", lambda m, day: _from(m["a"], day)),
    Days(rf"(?P<a>{_POINT_CJK})(?:之前|以前|前)", lambda m, day: _before(m["a"], day)),
    Days(rf"(?P<a>{_POINT_CJK})(?:之后|以后|后)", lambda m, day: _after(m["a"], day)),
    Days(
        r"(?P<which>上|本|这)(?:一)?个?(?P<unit>周|星期|月|季度)(?:里|内|份)?",
        _whole_cjk,
    ),
    Days(rf"(?:在|于)?(?P<a>{_POINT_CJK})(?:里|内)?", lambda m, day: point(m["a"], day)),
)


def beginning(day: date | None, now: datetime) -> datetime | None:
    """When that day begins where `now` is told."""
    return datetime.combine(day, time(), now.tzinfo) if day else None
