"""`knowledge.analyzer`: one analyzer for English, Simplified and Traditional Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.analyzer import LONGEST_TOKEN, TERM_SPACE, analyze, cjk_share, is_cjk, term_id


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The policies were changed", ["polici", "chang"]),
        ("What is the purpose of it?", ["purpos"]),
        ("max_upload_mb", ["max", "upload", "mb"]),
        ("DiffExecutor", ["diffexecutor", "diff", "executor"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("ＰＡＲＬＥＹ ２", ["parley", "2"]),
        ("年假", ["年", "假", "年假"]),
        ("新進員工", ["新", "进", "员", "工", "新进", "进员", "员工"]),
        ("用Postgres存", ["用", "postgr", "存"]),
        ("", []),
        ("…—!?", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_traditional_and_simplified_meet() -> None:
    assert analyze("請假規則與證明") == analyze("请假规则与证明")


@given(st.text())
def test_any_text_gives_short_nonempty_terms_with_ids_in_range(text: str) -> None:
    for term in analyze(text):
        assert term
        assert 0 <= term_id(term) < TERM_SPACE


@given(st.text(alphabet="abcDEF_ 年假員工12"))
def test_terms_do_not_depend_on_width_or_repetition(text: str) -> None:
    wide = text.translate({ord(c): ord(c) + 0xFEE0 for c in "abcDEF12"})
    assert analyze(wide) == analyze(text)
    assert analyze(f"{text}\n{text}") == analyze(text) * 2


@given(st.lists(st.text(alphabet="abxyz", min_size=1, max_size=8)))
def test_case_of_a_whole_word_does_not_matter(words: list[str]) -> None:
    text = " ".join(words)
    assert analyze(text.upper()) == analyze(text)


def test_an_endless_word_is_cut() -> None:
    assert [len(term) <= LONGEST_TOKEN for term in analyze("x" * 100_000)] == [True]


def test_ids_are_stable() -> None:
    assert term_id("polici") == 989443954


@pytest.mark.parametrize(
    ("text", "expected"),
    [("annual leave", False), ("年假几天", True), ("Postgres 怎么备份？", True), ("12 + 3", False)],
)
def test_script_of_a_question(text: str, expected: bool) -> None:
    assert is_cjk(text) is expected
    assert 0 <= cjk_share(text) <= 1
