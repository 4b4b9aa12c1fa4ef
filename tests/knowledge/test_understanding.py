"""What rules find in a question; tables of labelled questions are in `benchmarks.understanding`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from knowledge.retrieval.types import NO_FILTERS, Way
from knowledge.retrieval.understanding import Narrowing, understand
from knowledge.retrieval.understanding.filters import recognise
from knowledge.retrieval.understanding.following import standing_alone
from knowledge.retrieval.understanding.glossary import key_of, keys_in, other_words
from knowledge.retrieval.understanding.splitting import parts_of
from knowledge.switches import (
    BY_MODEL,
    USUAL,
    Switch,
    beyond_usual,
    said_after,
    switched_on,
    validate_switches,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LEAVE = ("annual leave", "vacation", "年假", "休假")
ALL = frozenset(Switch)


def narrowed(question: str, now: datetime = NOW) -> dict[Narrowing, tuple[str, ...]]:
    """What is narrowed by: values, or the first day and the day after the last one."""
    return {
        one.kind: one.values
        or tuple(str(day.date()) if day else "" for day in (one.from_, one.until))
        for one in recognise(question, now)
    }


@pytest.mark.parametrize(
    ("question", "types", "dates"),
    [
        ("PDFs from last month", ("pdf",), ("2026-10-01", "2026-11-01")),
        ("上个月的PDF", ("pdf",), ("2026-10-01", "2026-11-01")),
        ("上個月的PDF裡怎麼說報銷？", ("pdf",), ("2026-10-01", "2026-11-01")),
        ("Excel files from the last 3 weeks", ("xlsx", "csv"), ("2026-11-01", "2026-11-23")),
        ("documents uploaded since Monday on budgets", None, ("2026-11-16", "")),
        ("yesterday's files", None, ("2026-11-21", "2026-11-22")),
        ("files between January 2025 and March 2025", None, ("2025-01-01", "2025-04-01")),
        ("files from March 3rd, 2025", None, ("2025-03-03", "2025-03-04")),
        ("Files older than 2023", None, ("", "2023-01-01")),
        ("presentations from last quarter", ("pptx",), ("2026-07-01", "2026-10-01")),
        ("最近三个月上传的文档", None, ("2026-08-22", "2026-11-23")),
        ("2024年3月到2024年6月的Excel", ("xlsx", "csv"), ("2024-03-01", "2024-07-01")),
        ("昨天更新的幻燈片", ("pptx",), ("2026-11-21", "2026-11-22")),
        ("近半年的資料", None, ("2026-05-22", "2026-11-23")),
        ("Which PDFs mention the notice period?", ("pdf",), None),
        ("哪些PDF提到了年假？", ("pdf",), None),
    ],
)
def test_words_that_qualify_documents_narrow_the_search(question, types, dates):
    found = narrowed(question)
    assert found.get(Narrowing.FILE_TYPES) == types
    assert found.get(Narrowing.DATES) == dates


@pytest.mark.parametrize(
    "question",
    [
        "What was the revenue in 2025?",
        "How do I convert a PDF to Word?",
        "How do I extract tables from PDF files?",
        "去年的财报说了什么",
        "怎么把Word文件转换成PDF？",
        "What changed in the last month?",
        "2月30日的文件",
        "documents from 2026-02-30",
        "How many documents are there?",
    ],
)
def test_words_about_something_else_do_not(question):
    assert recognise(question, NOW) == ()


def test_languages_are_those_that_documents_have():
    assert narrowed("documents in German about taxes") == {Narrowing.LANGUAGES: ("de",)}
    assert narrowed("2024年以来的英文文档")[Narrowing.LANGUAGES] == ("en",)
    assert narrowed("in the Chinese PDFs, what is it?") == {
        Narrowing.FILE_TYPES: ("pdf",),
        Narrowing.LANGUAGES: ("zh-hans", "zh-hant"),
    }


def test_a_day_is_that_of_the_person():
    """At eight in the morning in Shanghai it is still yesterday in Los Angeles."""
    there = NOW.astimezone(ZoneInfo("America/Los_Angeles"))
    (here,) = recognise("files from today", NOW)
    (elsewhere,) = recognise("files from today", there)
    assert here.from_.astimezone(UTC).isoformat() == "2026-11-21T16:00:00+00:00"
    assert elsewhere.from_.astimezone(UTC).isoformat() == "2026-11-21T08:00:00+00:00"


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "What is the notice period and how many vacation days do I get?",
            ["What is the notice period", "how many vacation days do I get?"],
        ),
        (
            "How do I claim travel costs, and who approves it?",
            [
                "How do I claim travel costs",
                "How do I claim travel costs\nwho approves it?",
            ],
        ),
        (
            "What is the difference between annual leave and sick leave?",
            ["annual leave", "sick leave"],
        ),
        ("年假有多少天，怎么申请报销？", ["年假有多少天", "怎么申请报销？"]),
        ("年假和病假有什么区别？", ["年假", "病假"]),
        ("請問年假有幾天？出差怎麼報銷？", ["請問年假有幾天", "出差怎麼報銷？"]),
        ("How do cats and dogs behave?", []),
        ("张三和李四是谁？", []),
        ("When and where was the battle fought?", []),
    ],
)
def test_a_compound_question_has_parts(question, parts):
    assert parts_of(question) == parts


def test_a_question_can_point_back_over_several():
    asked = ["How many vacation days do I get?", "And for interns?"]
    assert standing_alone("And in March?", asked) == "\n".join([*asked, "And in March?"])
    assert standing_alone("What is a sick note?", asked) == "What is a sick note?"
    assert standing_alone("那病假呢？", ["年假有幾天？"]) == "年假有幾天？\n那病假呢？"


def test_a_glossary_adds_its_other_words():
    english, chinese = other_words("How many vacations days may I take?", [LEAVE])
    assert english.text == "How many annual leave days may I take?"
    assert chinese.text == "年假 休假"
    assert {english.way, chinese.way} == {Way.GLOSSARY}
    assert [query.text for query in other_words("年假怎麼申請？", [LEAVE])] == [
        "休假怎麼申請？",
        "annual leave vacation",
    ]
    assert other_words("What is a vacationer?", [LEAVE]) == []


def test_words_of_two_collections_for_one_thing_are_all_searched():
    """The second entry found its word replaced by the first one's, and was lost."""
    entries = [["vacation", "leave"], ["vacation", "holiday", "年假"], ["days", "weeks"]]
    english, chinese = other_words("How many vacation days?", entries)
    assert english.text == "How many leave holiday weeks?"
    assert chinese.text == "年假"


@pytest.mark.parametrize("question", ["my E-mails", "the e mail", "Annual  Leave", "請問休假規定"])
def test_an_entry_is_found_by_the_words_of_a_question(question):
    known = {key_of(term) for term in (*LEAVE, "e-mail")}
    assert known & set(keys_in(question))


def test_all_ways_together_keep_the_question_first():
    found = understand(
        "PDFs from last month on vacation: how long is it, and who approves the request?",
        [],
        ALL,
        NOW,
        entries=[LEAVE],
    )
    assert found.first.way is Way.ORIGINAL
    assert {query.way for query in found.also} == {Way.REWRITE, Way.PART, Way.GLOSSARY}
    assert found.filters.file_types == ("pdf",)


def test_a_narrowing_can_be_left_out():
    found = understand("PDFs from last month on travel", [], ALL, NOW, without=["dates"])
    assert found.filters.file_types == ("pdf",)
    assert found.filters.from_ is found.filters.until is None
    assert [one.counts for one in found.recognised] == [True, False]


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_the_first_query_always_ends_with_the_words_of_the_person(question, asked):
    found = understand(question, asked, ALL, NOW, entries=[LEAVE])
    assert found.first.text.endswith(question)
    assert len(found.queries) == len({query.text for query in found.queries}) <= 10


def test_nothing_happens_that_is_not_switched_on():
    question = "PDFs from last month on vacation, and who approves it?"
    plain = understand(question, ["Something else?"], [], NOW, entries=[LEAVE])
    assert plain.is_plain
    assert plain.filters == NO_FILTERS


def test_who_says_no_counts_most_and_nothing_means_as_usual():
    assert switched_on({}) == USUAL
    assert Switch.HYPOTHETICAL in switched_on({"hypothetical": True})
    assert Switch.HYPOTHETICAL in switched_on({}, [{}, {"hypothetical": True}])
    assert Switch.HYPOTHETICAL not in switched_on({"hypothetical": True}, [{"hypothetical": False}])
    assert Switch.GLOSSARY not in switched_on({"glossary": False}, [{"glossary": True}])


def test_of_several_collections_each_is_heard():
    """A no of any counts most, then a yes of any; what says nothing changes nothing."""
    yes, no, nothing = {"rewrites": True}, {"rewrites": False}, {}
    assert Switch.REWRITES in switched_on({}, [nothing, yes])
    assert Switch.REWRITES not in switched_on({}, [yes, no, nothing])
    assert Switch.REWRITES not in switched_on({}, [nothing, nothing])


def test_nothing_that_costs_is_on_by_itself():
    assert beyond_usual({}) == frozenset()
    assert beyond_usual({"rerank": True, "glossary": True}) == {Switch.RERANK}
    assert not USUAL & (BY_MODEL | {Switch.RERANK})
    assert said_after({"rerank": True}, {Switch.RERANK: None, Switch.PARTS: False}) == {
        "parts": False
    }


@pytest.mark.parametrize("value", [{"guess": True}, {"parts": 1}, ["parts"], {"parts": None}])
def test_only_switches_that_exist_are_set(value):
    with pytest.raises(ValidationError):
        validate_switches(value)
