"""The pure parts of the message box: what a sign means, what matches, which blanks there are."""

from typing import Any

import pytest
from playwright.sync_api import Page

TRIGGER = """async ([text, caret]) => {
  const { triggerAt } = await import("/chat/trigger.js");
  return triggerAt(text, caret);
}"""
MATCHING = """async ([query, names]) => {
  const { matching } = await import("/js/matching.js");
  return matching(query, names.map((name) => ({ name }))).map(({ name }) => name);
}"""
MARKS = """async ([query, text]) => (await import("/js/matching.js")).marksOf(query, text)"""
BLANKS = (
    """async (text) => (await import("/chat/blanks.js")).blanksOf(text).map(({ name }) => name)"""
)
FILES = """async (json) => {
  const { readPrompts } = await import("/agents/prompt-files.js");
  try { return readPrompts(json); } catch (error) { return error.message; }
}"""


@pytest.mark.parametrize(
    ("text", "kind", "query"),
    [
        ("/", "prompt", ""),
        ("/sum", "prompt", "sum"),
        ("First line\n/sum", "prompt", "sum"),
        ("Please /总结", "prompt", "总结"),
        ("／总", "prompt", "总"),
        ("、总", "prompt", "总"),
        ("@qu", "agent", "qu"),
        ("请问@助", "agent", "助"),
        ("好的，＠助手", "agent", "助手"),
        ("#hand", "collection", "hand"),
        ("在（#手册", "collection", "手册"),
    ],
)
def test_a_sign_opens_its_list(module_page: Page, text: str, kind: str, query: str) -> None:
    found = module_page.evaluate(TRIGGER, [text, len(text)])
    assert (found["kind"], found["query"]) == (kind, query)
    assert text[found["start"]] in "/／、@＠#＃"
    assert found["end"] == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "and/or", "/etc/hosts", "see /etc/hosts", "https://", "https://a.example/b",
        "me@example.org", "a@b", "C#", "F#m", "# Title", "## ", "@ home", "1/2", "好、总",
        "你好/总", "a / b", "",
    ],
)  # fmt: skip
def test_words_addresses_and_paths_open_nothing(module_page: Page, text: str) -> None:
    assert module_page.evaluate(TRIGGER, [text, len(text)]) is None


def test_a_sign_before_a_word_opens_nothing(module_page: Page) -> None:
    assert module_page.evaluate(TRIGGER, ["@qu is it", 3]) is not None
    assert module_page.evaluate(TRIGGER, ["@question", 3]) is None


@pytest.mark.parametrize(
    ("query", "names", "found"),
    [
        ("", ["b", "a"], ["b", "a"]),
        ("sum", ["Resume", "A summary", "Summary"], ["Summary", "A summary", "Resume"]),
        ("plan travel", ["Travel", "Travel plan", "Plan travel"], ["Plan travel", "Travel plan"]),
        ("要点", ["总结要点", "要点", "翻译"], ["要点", "总结要点"]),
        ("ＡＢＣ", ["abc"], ["abc"]),
        ("x y", ["x"], []),
    ],
)
def test_the_best_match_is_first(
    module_page: Page, query: str, names: list[str], found: list[str]
) -> None:
    assert module_page.evaluate(MATCHING, [query, names]) == found


def test_marks_stand_apart_and_in_order(module_page: Page) -> None:
    assert module_page.evaluate(MARKS, ["an b", "Banana"]) == [[0, 1], [1, 3], [3, 5]]
    assert module_page.evaluate(MARKS, ["总结", "要总结的"]) == [[1, 3]]
    assert module_page.evaluate(MARKS, ["", "text"]) == []


def test_blanks_are_those_the_server_finds(module_page: Page) -> None:
    text = "{{a}} {{ b c }} {{}} {{ }} {{主题}} {{" + "x" * 41 + "}} {{\n}}"
    assert module_page.evaluate(BLANKS, text) == ["a", "b c", "主题"]


@pytest.mark.parametrize(
    ("json", "read"),
    [
        ('{"prompts": [{"name": " A ", "text": "b"}]}', [{"name": "A", "text": "b"}]),
        ('[{"command": "/sum", "content": "b"}]', [{"name": "sum", "text": "b"}]),
        ('[{"title": "T", "command": "/t", "content": "b"}, {"x": 1}, null]',
         [{"name": "T", "text": "b"}]),
        ("not", "This file is not JSON."),
        ("{}", "There are no prompts in this file."),
        ("null", "There are no prompts in this file."),
    ],
)  # fmt: skip
def test_files_of_prompts_are_read(module_page: Page, json: str, read: Any) -> None:
    assert module_page.evaluate(FILES, json) == read
