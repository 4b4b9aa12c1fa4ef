"""`gateway.sentences`: tables of English and Chinese texts, and what must hold for any text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sentences import split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met Mrs. Jones. They left.", ["Dr. Smith met Mrs. Jones.", "They left."]),
        ("Pi is 3.14 and e is 2.72. Both count.", ["Pi is 3.14 and e is 2.72.", "Both count."]),
        ("See Fig. 3 and No. 5. No. I will not.", ["See Fig. 3 and No. 5.", "No.", "I will not."]),
        ("J. R. R. Tolkien wrote it. I did not.", ["J. R. R. Tolkien wrote it.", "I did not."]),
        ("Use e.g. Postgres 18. It works.", ["Use e.g. Postgres 18.", "It works."]),
        ('"Really?" he asked. "Yes."', ['"Really?" he asked.', '"Yes."']),
        ("He said (quietly.) Then he left.", ["He said (quietly.)", "Then he left."]),
        ("Read config.py first. Then run it.", ["Read config.py first.", "Then run it."]),
        ("Wait... what happened? Nothing.", ["Wait... what happened?", "Nothing."]),
        ("the first\nline goes on. Next.", ["the first\nline goes on.", "Next."]),
        ("Title\n\nText below", ["Title", "Text below"]),
        ("Buy:\n- milk\n- eggs", ["Buy:", "- milk", "- eggs"]),
        ("Steps\n1. Open it.\n2. Close it.", ["Steps", "1. Open it.", "2. Close it."]),
        ("At 5 p.m. we left.", ["At 5 p.m. we left."]),
        ("The U.S. Senate met. It voted.", ["The U.S. Senate met.", "It voted."]),
    ],
)
def test_english_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天下雨。我们不去了！你呢？", ["今天下雨。", "我们不去了！", "你呢？"]),
        ("他说：“好的。”然后走了。", ["他说：“好的。”", "然后走了。"]),
        ("「真的嗎？」她問。「真的。」", ["「真的嗎？」", "她問。", "「真的。」"]),
        ("（见附件。）下一条。", ["（见附件。）", "下一条。"]),
        ("版本3.14发布了。价格是9.9元。", ["版本3.14发布了。", "价格是9.9元。"]),
        ("真的吗?我不信!走吧", ["真的吗?", "我不信!", "走吧"]),
        ("什么？！不可能。", ["什么？！", "不可能。"]),
        ("使用PostgreSQL。It is fast. 很快。", ["使用PostgreSQL。", "It is fast.", "很快。"]),
        ("一、总则\n二、范围", ["一、总则", "二、范围"]),
        ("他想了想……还是去了。", ["他想了想……还是去了。"]),
    ],
)
def test_chinese_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \n"])
def test_nothing_to_split(text: str) -> None:
    assert split_sentences(text) == []


@given(st.text(alphabet=st.sampled_from('ab A.!?。！？ \n"”」）(「-1#…中文')))
def test_spans_are_ordered_trimmed_and_complete(text: str) -> None:
    spans = split_sentences(text)
    kept = "".join(text[start:end] for start, end in spans)
    assert [c for c in kept if not c.isspace()] == [c for c in text if not c.isspace()]
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
