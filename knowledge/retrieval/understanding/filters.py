"""What a question narrows its search by, in its own words: "PDFs from last month", "上个月的PDF".

Only words that qualify documents count: "PDFs from 2024" does, "the budget of 2024" and "how do I
make a PDF" do not. What is recognised is shown to the person, who can ask again without it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from knowledge.analyzer import is_cjk
from knowledge.retrieval.types import Filters
from knowledge.retrieval.understanding import days, kinds
from knowledge.retrieval.understanding.wording import folded, tidy


class Narrowing(StrEnum):
    FILE_TYPES = "file_types"
    LANGUAGES = "languages"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Recognised:
    """One thing to narrow by: `words` of the question, and the values they stand for. It does not
    count where the person asked to leave it out."""

    kind: Narrowing
    words: str
    values: tuple[str, ...] = ()
    from_: datetime | None = None
    until: datetime | None = None
    counts: bool = True


def _any(names: Iterable[str]) -> str:
    return "|".join(f"(?:{name})" for name in names)


_DAYS_EN = _any(re.sub(r"\?P<\w+>", "?:", one.pattern) for one in days.ENGLISH)
_DAYS_ZH = _any(re.sub(r"\?P<\w+>", "?:", one.pattern) for one in days.CHINESE)
_NOUN_EN = (
    rf"(?:(?P<language>{_any(kinds.LANGUAGES_ENGLISH)})(?:-language)?\s+)?"
    rf"\b(?P<kind>{_any(kinds.ENGLISH)})\b(?:\s+in\s+(?P<tongue>{_any(kinds.LANGUAGES_ENGLISH)})\b)?"
)
_DONE_EN = (
    r"(?:(?:that|which)\s+)?(?:(?:were|was|are|have\s+been|i|we|you)\s+)?"
    r"(?:(?:uploaded|added|changed|updated|modified|edited|created|written|dated|published)\s+)?"
)
_DATED_EN = re.compile(
    rf"{_NOUN_EN}\s+{_DONE_EN}(?P<days>{_DAYS_EN})"
    rf"|(?P<days_before>\b(?:{_DAYS_EN}))(?:'s|’s)\s+{_NOUN_EN.replace('?P<', '?P<b_')}"
)
_SCOPED_EN = re.compile(
    r"(?:^|[,.:]\s*|\b(?:in|within|among|across|only|just|search|find|show|list|give|get|which|what|open|are\s+there)\s+"
    r"|(?<!\bhow )(?<!\bhow to )\bfrom\s+)"
    r"(?:(?:me|us)\s+)?(?:(?:any|all|only|in)\s+)?(?:of\s+)?(?:(?:the|our|my|these|those|any|all)\s+)?"
    rf"{_NOUN_EN}"
)
_ABOUT_WORK = re.compile(
    r"^\W*how\s+(?:do|can|to|would|should|does|could)\b|\b(?:convert|export)\b"
)
_NOUN_ZH = rf"(?:(?P<language>{_any(kinds.LANGUAGES_CHINESE)})的?)?(?P<kind>{_any(kinds.CHINESE)})"
_DONE_ZH = r"(?:我们?|大家)?(?:上传|添加|新增|加入|更新|修改|编辑|创建|发布|写)?(?:过|好)?的?"
_DATED_ZH = re.compile(rf"(?P<days>{_DAYS_ZH}){_DONE_ZH}(?:所有|全部)?(?:的)?{_NOUN_ZH}")
_SCOPED_ZH = re.compile(
    rf"(?:在|从|只看|只在|只搜|搜索|查找|找出|列出|哪些|哪几[个份篇]|所有|有没有)(?:所有|全部|我们|这些)?(?:的)?{_NOUN_ZH}"
    rf"|^{_NOUN_ZH.replace('?P<', '?P<b_')}(?:里|中|内)"
)
_ABOUT_WORK_ZH = re.compile(r"转换|转成|转为|导出|(?:如何|怎么|怎样)(?:把|将|制作|创建|打开|合并)")


def recognise(question: str, now: datetime) -> tuple[Recognised, ...]:
    """What the question narrows by, each kind once; `now` is aware, in the person's time zone."""
    text = folded(question)
    is_chinese = is_cjk(question)
    dated, scoped, work = (
        (_DATED_ZH, _SCOPED_ZH, _ABOUT_WORK_ZH)
        if is_chinese
        else (_DATED_EN, _SCOPED_EN, _ABOUT_WORK)
    )
    if found := dated.search(text):
        narrowed = [*_of_noun(found, question), *_of_days(found, question, now)]
    elif not work.search(text) and (found := scoped.search(text)):
        narrowed = _of_noun(found, question)
    else:
        narrowed = []
    return tuple(narrowed)


def _of_noun(found: "re.Match[str]", question: str) -> list[Recognised]:
    """The kind of file and the language that a match names."""
    tables = {
        "kind": (Narrowing.FILE_TYPES, (kinds.ENGLISH, kinds.CHINESE)),
        "language": (Narrowing.LANGUAGES, (kinds.LANGUAGES_ENGLISH, kinds.LANGUAGES_CHINESE)),
        "tongue": (Narrowing.LANGUAGES, (kinds.LANGUAGES_ENGLISH,)),
    }
    named: dict[Narrowing, Recognised] = {}
    for name, said in found.groupdict().items():
        narrowing, known = tables.get(name.removeprefix("b_"), (None, ()))
        if said and narrowing and (values := _look_up(said, known)):
            words = question[found.start(name) : found.end(name)]
            named.setdefault(narrowing, Recognised(narrowing, words, values))
    return list(named.values())


def _look_up(said: str, tables: Iterable[Mapping[str, tuple[str, ...]]]) -> tuple[str, ...]:
    for table in tables:
        for pattern, values in table.items():
            if re.fullmatch(pattern, said):
                return values
    return ()


def _of_days(found: "re.Match[str]", question: str, now: datetime) -> list[Recognised]:
    groups = found.groupdict()
    name = "days" if groups.get("days") else "days_before"
    said = groups[name] or ""
    for one in (*days.ENGLISH, *days.CHINESE):
        if (match := re.fullmatch(one.pattern, said)) and (span := one.mean(match, now.date())):
            from_, until = (days.beginning(day, now) for day in span)
            words = tidy(question[found.start(name) : found.end(name)])
            return [Recognised(Narrowing.DATES, words, (), from_, until)]
    return []


def as_filters(recognised: Iterable[Recognised]) -> Filters:
    """As a search takes them."""
    by_kind = {one.kind: one for one in recognised}
    dates = by_kind.get(Narrowing.DATES)
    types, languages = by_kind.get(Narrowing.FILE_TYPES), by_kind.get(Narrowing.LANGUAGES)
    return Filters(
        file_types=types.values if types else None,
        languages=languages.values if languages else None,
        from_=dates.from_ if dates else None,
        until=dates.until if dates else None,
    )
