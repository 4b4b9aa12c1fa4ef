"""Tables of PDFs, by the lines between their cells; what is none stays text."""

from pathlib import Path

import fpdf
import pytest

from knowledge.extraction import pdf as reader
from knowledge.types import BlockKind
from tests.knowledge.extraction.reading import passages, read, said

ROWS = (
    ("Item", "Price", "Stock"),
    ("Bolt M8", "0.25", "1,200"),
    ("A nut that is described at such length that its cell has lines", "0.15", "3,400"),
)


def document(path: Path, *, rows: int = 0) -> Path:
    made = fpdf.FPDF()
    made.set_font("Helvetica", size=11)
    made.add_page()
    made.multi_cell(0, 6, "Prices hold for all customers.")
    with made.table() as table:
        for cells in (*ROWS, *((f"Part {n}", str(n), "0") for n in range(rows))):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    made.ln(5)
    made.multi_cell(0, 6, "They may change in summer.")
    made.output(str(path))
    return path


def test_a_table_stands_between_the_words_around_it(tmp_path: Path) -> None:
    found = read(document(tmp_path / "a.pdf"), "pdf")
    assert said(found) == [
        ("paragraph", "Prices hold for all customers."),
        (
            "table",
            (
                "Item | Price | Stock\nBolt M8 | 0.25 | 1,200\n"
                "A nut that is described at such length that its cell has lines | 0.15 | 3,400"
            ),
        ),
        ("paragraph", "They may change in summer."),
    ]
    assert {block.page for block in found.blocks} == {1}


def test_a_long_one_repeats_its_columns_in_every_passage(tmp_path: Path) -> None:
    found = read(document(tmp_path / "a.pdf", rows=150), "pdf")
    tables = [block for block in found.blocks if block.kind == BlockKind.TABLE]
    assert len({block.page for block in tables}) > 1  # one on every page, which names its columns
    made = [one for one in passages(found) if "Part" in one.text]
    assert len(made) > 3
    assert all("Item | Price | Stock" in f"{one.head}\n{one.text}" for one in made)


def test_lines_without_cells_of_words_are_no_table(tmp_path: Path) -> None:
    """A chart's grid, and a frame around a paragraph."""
    made = fpdf.FPDF()
    made.set_font("Helvetica", size=11)
    made.add_page()
    for n in range(6):
        made.line(20, 100 + 10 * n, 120, 100 + 10 * n)
        made.line(20 + 20 * n, 100, 20 + 20 * n, 150)
    made.multi_cell(80, 6, "A sentence in a frame.", border=1)
    made.text(22, 148, "0")
    made.text(30, 170, "The chart shows sales.")
    made.output(str(tmp_path / "a.pdf"))
    found = read(tmp_path / "a.pdf", "pdf")
    assert {block.kind for block in found.blocks} == {BlockKind.PARAGRAPH}
    assert "A sentence in a frame." in found.text
    assert "The chart shows sales." in found.text


def test_a_page_that_would_lose_words_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = document(tmp_path / "a.pdf")
    lost = [(1, [(("Item", "Price"), ("Bolt", "0.25"))])]
    monkeypatch.setattr(reader, "read_tables", lambda *_: iter(lost))
    whole = reader.extract_pdf(path)
    assert "Prices hold for all customers." in whole.text
    assert "3,400" in whole.text

    def breaks(*_: object) -> object:
        raise RecursionError

    monkeypatch.setattr(reader, "read_tables", breaks)
    assert reader.extract_pdf(path).text == whole.text


def test_columns_beside_a_table_are_not_mixed(tmp_path: Path) -> None:
    made = fpdf.FPDF()
    made.set_font("Helvetica", size=10)
    made.add_page()
    left, right = (
        "The left column tells of ferries. " * 12,
        "The right column tells of trains. " * 12,
    )
    for x, text in ((10, left), (110, right)):
        made.set_xy(x, 20)
        made.multi_cell(85, 5, text)
    made.set_xy(10, 150)
    with made.table(width=80, align="L") as table:
        for cells in (("Item", "Price"), ("Bolt", "0.25")):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    made.output(str(tmp_path / "a.pdf"))
    text = read(tmp_path / "a.pdf", "pdf").text
    assert "tells of ferries. The left column" in " ".join(text.split())
    assert "tells of trains. The right column" in " ".join(text.split())
    assert "0.25" in text
