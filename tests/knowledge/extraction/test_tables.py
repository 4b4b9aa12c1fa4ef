"""CSV, TSV and spreadsheets: rows under the names of their columns, in every passage."""

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from gateway.embedding.local import count_pieces
from knowledge.chunking import MAX_PIECES, index_text
from knowledge.extraction.reasons import DAMAGED, NO_TEXT, ExtractionFailed
from knowledge.layout import draw, pack, unpack
from tests.knowledge.extraction.reading import passages, read, said


@pytest.mark.parametrize(
    ("content", "table"),
    [
        (b"Region,Q1\nNorth,12\n", "Region | Q1\nNorth | 12"),
        ("地区;说明\n华北;这是我们的\n".encode("gb18030"), "地区 | 说明\n华北 | 这是我们的"),
        (b'sep=;\nA;B\n1;"2;3"\n', "A | B\n1 | 2;3"),
        (b"A|B\n1|2\n", "A | B\n1 | 2"),
        (b'A,B\n"a\nb","c | d"\n,\n,x\n', "A | B\na b | c|d\n | x"),
        ("A,B\n1,2\n".encode("utf-16"), "A | B\n1 | 2"),
        (b"A\tB\r\n1,5\t2\r\n", "A | B\n1,5 | 2"),
        (b"A,B\r1,2\r", "A | B\n1 | 2"),
    ],
)
def test_delimited(tmp_path: Path, content: bytes, table: str) -> None:
    assert said(read(tmp_path / "0198", "csv", content)) == [("table", table)]


def test_one_column_is_a_list_and_nothing_is_no_text(tmp_path: Path) -> None:
    assert said(read(tmp_path / "a", "csv", "name\nann\nbob\n")) == [("list", "name\nann\nbob")]
    with pytest.raises(ExtractionFailed, match=NO_TEXT):
        read(tmp_path / "a", "csv", ",,,\n,,\n")


def test_a_long_table_repeats_its_columns_in_every_passage(tmp_path: Path) -> None:
    rows = "".join(f"Depot {n},{n * 7},open since {1900 + n % 100}\n" for n in range(6_000))
    found = read(tmp_path / "a", "csv", f"Depot,Stock,Remark\n{rows}")
    assert len(found.blocks) > 3  # a block of some thousand characters each
    first, *others = passages(found, "Depots")
    assert first.text.startswith("Depot | Stock | Remark\nDepot 0 | 0 | ")
    assert first.head == ""
    assert {draft.head for draft in others} == {"Depot | Stock | Remark"}
    assert not any("Stock" in draft.text for draft in others)
    indexed = [index_text("Depots", d.heading_path, d.text, d.head) for d in others]
    assert all("\nDepot | Stock | Remark\nDepot " in text for text in indexed)
    assert max(map(count_pieces, indexed)) <= MAX_PIECES + 12


def test_a_workbook_has_sheets_as_sections_and_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.properties.title = "Plan"
    sheet = book.active
    sheet.title = "Sales"
    sheet.append(["Sales of the year"])
    sheet.append([])
    sheet.append(["Region", "Sum", "Day", "Share", "Open"])
    sheet.append(["North", 0.1 + 0.2, dt.date(2026, 5, 1), 0.25, True])
    sheet["D4"].number_format = "0.0%"
    sheet.append(["South", "=1+1", dt.datetime(2026, 5, 1, 10, 30), None, False])
    sheet["XFD900000"] = "far away"
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "hidden"
    hidden.append(["secret", "words"])
    book.create_sheet("Empty")
    book.create_sheet("库存").append(["件", "数"])
    book.save(tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx", "xlsx")
    assert found.title == "Plan"
    assert said(found) == [
        ("heading", "Sales"),
        ("paragraph", "Sales of the year"),
        (
            "table",
            (
                "Region | Sum | Day | Share | Open\nNorth | 0.3 | 2026-05-01 | 25% | TRUE\n"
                "South |  | 2026-05-01 10:30 |  | FALSE\n |  |  |  |  | far away"
            ),
        ),
        ("heading", "库存"),
        ("table", "件 | 数"),
    ]


def test_a_workbook_of_another_program_shows_what_its_formulas_gave(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet("Prices")
        sheet.write_row(0, 0, ["Thing", "Price"])
        sheet.write_row(1, 0, ["Umbrella", 12])
        sheet.write_rich_string(2, 0, "Rain", book.add_format({"bold": True}), "coat")
        sheet.write_formula(2, 1, "=B2*2", None, 24)
    found = read(tmp_path / "a.xlsx", "xlsx")
    assert said(found)[1:] == [("table", "Thing | Price\nUmbrella | 12\nRaincoat | 24")]
    (tmp_path / "a.xlsx").write_bytes((tmp_path / "a.xlsx").read_bytes()[:-900])
    with pytest.raises(ExtractionFailed, match=DAMAGED):
        read(tmp_path / "a.xlsx", "xlsx")


def test_a_part_of_a_table_is_drawn_below_its_columns(tmp_path: Path) -> None:
    rows = "".join(f"Depot {n},{n * 7}\n" for n in range(9_000))
    found = read(tmp_path / "a", "csv", f"Depot,Stock\n{rows}")
    blocks = unpack(pack(found) or [])
    at = found.text.index("Depot 8000 ")
    shown = draw(found.text, blocks, (at - 100, at + 100), [(at, at + 10)])
    (table,) = [block.rows for block in shown]
    assert [[run.text for run in cell.runs] for cell in table[0]] == [["Depot"], ["Stock"]]
    assert all(cell.is_header for cell in table[0])
    (marked,) = [row for row in table if any(r.is_marked for cell in row for r in cell.runs)]
    assert [cell.runs[0].text for cell in marked] == ["Depot 8000", "56000"]
    assert not marked[0].is_header
    assert len(table) < 30


def test_a_cell_without_end_says_that_it_goes_on(tmp_path):
    found = read(tmp_path / "a", "csv", f"Name,Text\nLong,{'word ' * 20_000}\nShort,end\n")
    assert "[… 50,000]" in found.text
    assert "Short | end" in found.text
