from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.reading import PART, find_parts, lay_out, part_of

TEXT = "Leave\n\nNotice\n\nFour weeks ahead.\n\nIn the portal.\n\n請假\n\n四週前提出。"


@dataclass
class Placed:
    position: int
    start: int
    end: int
    heading_path: list[str] = field(default_factory=list)
    page: int | None = None


def place(position: int, words: str, *path: str, page: int | None = None) -> Placed:
    start = TEXT.index(words)
    return Placed(position, start, start + len(words), list(path), page)


PASSAGES = [
    place(0, "Four weeks ahead.\n\nIn the portal.", "Leave", "Notice", page=3),
    place(1, "四週前提出。", "請假", page=4),
]


def plain(blocks):
    return [(block.level, "".join(run.text for run in block.runs)) for block in blocks]


def test_text_between_passages_becomes_their_headings():
    assert plain(lay_out(TEXT, PASSAGES, (0, len(TEXT)))) == [
        (2, "Leave"), (3, "Notice"), (0, "Four weeks ahead."), (0, "In the portal."),
        (2, "請假"), (0, "四週前提出。"),
    ]  # fmt: skip


def test_a_page_is_named_where_it_begins():
    blocks = lay_out(TEXT, PASSAGES, (0, len(TEXT)))
    assert [block.page for block in blocks] == [3, None, None, None, 4, None]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("weeks", ["weeks"]),
        ("ahead.\n\nIn", ["ahead.", "In"]),
        (TEXT, ["Leave", "Notice", "Four weeks ahead.", "In the portal.", "請假", "四週前提出。"]),
        ("四週前", ["四週前"]),
    ],
)
def test_exactly_the_asked_characters_are_marked(words, expected):
    start = TEXT.index(words)
    blocks = lay_out(TEXT, PASSAGES, (0, len(TEXT)), [(start, start + len(words))])
    runs = [run for block in blocks for run in block.runs if run.is_marked]
    assert [run.text for run in runs] == expected
    assert [run.is_first for run in runs] == [True, *[False] * (len(runs) - 1)]


def test_a_document_without_passages_is_still_readable():
    assert plain(lay_out(TEXT, [], (0, len(TEXT))))[0] == (0, "Leave")


@given(st.text(st.sampled_from("ab \n#一。"), max_size=200), st.data())
def test_no_visible_character_is_lost_or_doubled(text, data):
    edges = data.draw(st.lists(st.integers(0, len(text)), max_size=8).map(sorted))
    passages = [
        Placed(n, start, end, ["a", "ab"])
        for n, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=False))
    ]
    marked = data.draw(st.tuples(st.integers(0, 200), st.integers(0, 200)))
    blocks = lay_out(text, passages, (0, len(text)), [marked] if marked[0] < marked[1] else [])
    shown = "".join(run.text for block in blocks for run in block.runs)
    assert "".join(shown.split()) == "".join(text.split())


def test_a_long_text_is_cut_into_parts_at_line_ends():
    text = "\n".join("x" * 99 for _ in range(3000))
    parts = find_parts(text)
    assert "".join(text[start:end] for start, end in parts) == text
    assert all(end - start <= PART + 100 for start, end in parts)
    assert all(text[end - 1] == "\n" for _, end in parts[:-1])
    assert part_of(parts, 0) == 0
    assert part_of(parts, len(text) + 5) == len(parts) - 1
    assert part_of(parts, parts[1][0]) == 1
