"""`knowledge.chunking`: passages follow headings and sentences, and their offsets are exact."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.embedding.local import count_pieces
from knowledge.chunking import MAX_PIECES, chunk, index_text, title_path
from knowledge.extraction.markdown import read_markdown
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import GRID, Block, BlockKind, ChunkDraft, Extracted, Mark

KINDS = {"#": BlockKind.HEADING, "```": BlockKind.CODE, "|": BlockKind.TABLE, "-": BlockKind.LIST}


def make(*parts: str) -> tuple[str, list[Block]]:
    """Blocks of a text written like Markdown, each part one block."""
    text, blocks = "", []
    for part in parts:
        mark = next((mark for mark in KINDS if part.startswith(mark)), "")
        kind = KINDS.get(mark, BlockKind.PARAGRAPH)
        level = len(part) - len(part.lstrip("#")) if mark == "#" else 0
        body = part.lstrip("# ") if mark == "#" else part
        blocks.append(Block(kind, len(text), len(text) + len(body), level))
        text += body + "\n\n"
    return text, blocks


def cut(*parts: str, title: str = "Handbook") -> list[ChunkDraft]:
    return chunk(*make(*parts), title)


def test_each_section_is_a_passage_with_its_path() -> None:
    drafts = cut("# Leave", "You get 25 days.", "## Sick leave", "Call by nine.", "# Travel", "Go.")
    assert [(d.heading_path, d.text) for d in drafts] == [
        (("Leave",), "You get 25 days."),
        (("Leave", "Sick leave"), "Call by nine."),
        (("Travel",), "Go."),
    ]


def test_the_title_is_not_repeated_in_the_path() -> None:
    assert cut("# Handbook", "## Leave", "25 days.")[0].heading_path == ("Leave",)


def test_paragraphs_of_a_section_share_a_passage_until_it_is_full() -> None:
    drafts = cut("# A", *["One short paragraph of a few words."] * 100)
    assert 3 < len(drafts) < 8
    assert all(d.text.count("\n\n") > 5 for d in drafts)


def test_a_long_paragraph_is_cut_between_sentences_into_even_parts() -> None:
    drafts = cut("The committee met on Tuesday and decided nothing of note. " * 25)
    assert len(drafts) == 2
    assert all(d.text.endswith(".") and d.text.startswith("The") for d in drafts)
    assert abs(len(drafts[0].text) - len(drafts[1].text)) < 150


def test_chinese_is_cut_between_sentences() -> None:
    drafts = cut("员工每年享有十五天带薪年假，未休完的年假可顺延至次年三月。" * 12)
    assert len(drafts) > 1
    assert all(d.text.endswith("。") for d in drafts)


def test_a_table_is_cut_between_rows() -> None:
    rows = "\n".join(f"| item {n} | {n * 17} euros | remark {n} |" for n in range(60))
    assert all(
        line.startswith("| item") and line.endswith("|")
        for draft in cut(rows)
        for line in draft.text.splitlines()
    )


def test_a_heading_with_nothing_below_it_is_its_own_passage() -> None:
    assert [d.text for d in cut("# One", "# Two", "Text.", "# Three")] == ["One", "Text.", "Three"]


def test_an_opening_line_stays_with_its_long_list() -> None:
    items = "\n".join(f"- step {n}: press the button number {n}" for n in range(60))
    assert cut("Do this:", items)[0].text.startswith("Do this:\n\n- step 0")


@pytest.mark.parametrize("text", ["x" * 20_000, "字" * 3_000, "a1-" * 5_000, "……" * 3000])
def test_endless_text_without_a_space_is_cut(text: str) -> None:
    drafts = cut(text)
    assert "".join(d.text for d in drafts) == text
    assert all(count_pieces(d.text) <= MAX_PIECES for d in drafts)


def test_a_page_is_the_one_a_passage_begins_on() -> None:
    text = "First page.\n\nSecond page."
    blocks = [
        Block(BlockKind.PARAGRAPH, 0, 11, page=1),
        Block(BlockKind.PARAGRAPH, 13, 25, page=2),
    ]
    assert [d.page for d in chunk(text, blocks, "")] == [1]


def test_a_long_title_path_keeps_the_title_and_the_innermost_heading() -> None:
    path = title_path("Handbook", [*("outer heading words " * 9).split(" out"), "Sick leave"])
    assert path.startswith("Handbook")
    assert path.endswith("Sick leave")
    assert count_pieces(title_path("word " * 500, ["heading " * 500])) <= 60


words = st.text(alphabet="ab cde.。！? 中文字-|\n\t_9", max_size=400)
parts = st.lists(
    st.builds(
        lambda mark, body: mark + body, st.sampled_from(["", "# ", "## ", "| ", "- "]), words
    ),
    max_size=8,
)


def spans(drafts: Sequence[ChunkDraft]) -> list[tuple[int, int]]:
    return [(d.start, d.end) for d in drafts]


@settings(max_examples=150, deadline=None)
@given(parts, st.sampled_from(["", "Handbook", "A very long title " * 30]), st.integers(1, 12))
def test_passages_are_exact_ordered_within_bounds_and_complete(
    parts: list[str], title: str, repeat: int
) -> None:
    text, blocks = make(*(part * repeat for part in parts))
    drafts = chunk(text, blocks, title)
    assert all(text[d.start : d.end] == d.text == d.text.strip() != "" for d in drafts)
    assert spans(drafts) == sorted(spans(drafts))
    assert all(a.end <= b.start for a, b in pairwise(drafts))
    for draft in drafts:
        assert count_pieces(index_text(title, draft.heading_path, draft.text)) <= MAX_PIECES
    covered = {i for d in drafts for i in range(d.start, d.end)}
    for block in blocks:
        if block.kind != BlockKind.HEADING:
            inside = range(block.start, block.end)
            assert all(i in covered for i in inside if not text[i].isspace())


def test_a_markdown_table_repeats_its_first_row_in_every_passage() -> None:
    rows = "".join(f"| item {n} | {n * 17} euros | remark {n} |\n" for n in range(90))
    found = read_markdown_text(
        f"# Prices\n\n| Thing | Price | Why |\n|---|---|---|\n{rows}\nThe end."
    )
    first, *others = chunk(found.text, found.blocks, "List")
    assert (first.head, first.text.partition("\n")[0]) == ("", "Thing | Price | Why")
    assert len(others) > 2
    assert {draft.head for draft in others} == {"Thing | Price | Why"}
    assert all(draft.heading_path == ("Prices",) for draft in others)
    assert others[-1].text.endswith("\n\nThe end.")
    for draft in others:
        assert found.text[draft.start : draft.end] == draft.text
        whole = index_text("List", draft.heading_path, draft.text, draft.head)
        assert count_pieces(whole) <= MAX_PIECES + 12


def test_a_very_wide_table_repeats_as_much_of_its_columns_as_fits() -> None:
    columns = " | ".join(f"measurement {n}" for n in range(120))
    rows = "\n".join(" | ".join(str(n * m) for m in range(120)) for n in range(9))
    text = f"{columns}\n{rows}"
    block = Block(BlockKind.TABLE, 0, len(text), marks=(Mark(0, len(text), GRID, ""),))
    drafts = chunk(text, [block], "")
    below = [draft for draft in drafts if draft.start > len(columns)]
    assert {columns.startswith(draft.head) and bool(draft.head) for draft in below} == {True}
    assert all(count_pieces(f"{d.head}\n{d.text}") <= MAX_PIECES + 12 for d in drafts)


def read_markdown_text(source: str) -> Extracted:
    builder = TextBuilder()
    read_markdown(source, builder)
    return builder.extracted()
