"""Headings of PDFs that no outline names: by how they are set, and nothing that is none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fpdf
import pytest
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table

from knowledge.extraction import pdf_lines
from knowledge.extraction.pdf import extract_pdf
from knowledge.extraction.pdf_headings import find_headings
from knowledge.types import BlockKind, Extracted
from tests.knowledge.extraction.reading import passages, read
from tests.support import papers
from tests.support.papers import FILLER, OTHER

STYLES = getSampleStyleSheet()
TEXT = f"{FILLER} {FILLER} {FILLER}"


def headings(found: Extracted) -> list[tuple[str, int]]:
    return [
        (found.text[block.start : block.end], block.level)
        for block in found.blocks
        if block.kind == BlockKind.HEADING
    ]


def built(path: Path, story: Sequence[Flowable], columns: int = 1, on_page: Any = None) -> Path:
    template = BaseDocTemplate(str(path), pagesize=A4)
    width = (A4[0] - 120) / columns - 10
    frames = [Frame(60 + n * (width + 20), 80, width, A4[1] - 170) for n in range(columns)]
    decorate = {"onPage": on_page} if on_page else {}
    template.addPageTemplates(PageTemplate(frames=frames, **decorate))
    template.build(list(story))
    return path


def said(style: str | ParagraphStyle, text: str) -> Paragraph:
    return Paragraph(text, STYLES[style] if isinstance(style, str) else style)


def chapters(count: int = 2) -> list[Flowable]:
    return [
        part
        for n in range(1, count + 1)
        for part in (
            said("Heading1", f"House {n}"),
            said("BodyText", TEXT),
            said("Heading2", f"The roof of house {n}"),
            *[said("BodyText", TEXT)] * 4,
            said("Heading3", f"Its gutters, {papers.WHO[n % 7]}"),
            *[said("BodyText", TEXT)] * 4,
        )
    ]


def test_larger_lines_are_headings_and_passages_lie_below_them(tmp_path: Path) -> None:
    found = read(built(tmp_path / "a.pdf", chapters()), "pdf")
    assert headings(found) == [
        ("House 1", 1),
        ("The roof of house 1", 2),
        ("Its gutters, gardener", 3),
        ("House 2", 1),
        ("The roof of house 2", 2),
        ("Its gutters, librarian", 3),
    ]
    paths = {draft.heading_path for draft in passages(found)}
    assert ("House 2", "The roof of house 2", "Its gutters, librarian") in paths
    assert ("House 1",) in paths


def test_at_most_four_levels(tmp_path: Path) -> None:
    story: list[Flowable] = []
    for size in (28, 24, 20, 17, 14):
        style = ParagraphStyle("any", fontSize=size, leading=size * 1.2, spaceAfter=8)
        story += [said(style, f"Set in {size} points"), *[said("BodyText", TEXT)] * 2]
    found = read(built(tmp_path / "a.pdf", story), "pdf")
    assert [level for _, level in headings(found)] == [1, 2, 3, 4, 4]


def test_one_that_is_wrapped_is_one_and_a_long_one_is_none(tmp_path: Path) -> None:
    wrapped = "How a lighthouse is kept in the winter when nobody comes, and by whom it is kept"
    story = [
        said("Heading1", wrapped),
        *[said("BodyText", TEXT)] * 3,
        said("Heading1", " and ".join([wrapped] * 3)),
        *[said("BodyText", TEXT)] * 3,
    ]
    assert headings(read(built(tmp_path / "a.pdf", story), "pdf")) == [(wrapped, 1)]


def test_bold_alone_on_its_line_with_space_above(tmp_path: Path) -> None:
    made = fpdf.FPDF()
    made.add_page()
    for title in ("Who is insured", "What is not paid"):
        made.ln(6)
        made.set_font("Helvetica", "B", 11)
        made.cell(text=title, new_x="LMARGIN", new_y="NEXT")
        made.set_font("Helvetica", size=11)
        made.multi_cell(0, 5, TEXT)
    made.set_font("Helvetica", "B", 11)  # no space above it
    made.cell(text="Really nothing else", new_x="LMARGIN", new_y="NEXT")
    made.set_font("Helvetica", size=11)
    made.multi_cell(0, 5, f"**Please note** {TEXT}", markdown=True)
    made.ln(6)
    made.set_font("Helvetica", "B", 11)  # the head of a table without lines
    for cell in ("Item", "Price", "In stock"):
        made.cell(50, text=cell)
    made.ln(6)
    made.set_font("Helvetica", size=11)
    for cell in ("Bolt of the stronger sort", "0.25", "1,200 pieces in house"):
        made.cell(50, text=cell)
    made.output(str(tmp_path / "a.pdf"))
    found = headings(read(tmp_path / "a.pdf", "pdf"))
    assert found == [("Who is insured", 1), ("What is not paid", 1)]


def test_chinese(tmp_path: Path) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    place = A4[1] - 80

    def write(text: str, size: int, lines: int = 1) -> None:
        nonlocal place
        for _ in range(lines):
            canvas.setFont("STSong-Light", size)
            canvas.drawString(70, place, text)
            place -= size * 1.6

    for chapter, part in (("第一章 总则", "适用范围"), ("第二章 休假", "年假申请")):
        write(chapter, 20)
        write(OTHER[:30], 12, 6)
        write(part, 16)
        write(OTHER[:30], 12, 6)
    canvas.save()
    found = read(tmp_path / "a.pdf", "pdf")
    assert headings(found) == [
        ("第一章总则", 1),
        ("适用范围", 2),
        ("第二章休假", 1),
        ("年假申请", 2),
    ]
    assert ("第二章休假", "年假申请") in {draft.heading_path for draft in passages(found)}


def test_two_columns(tmp_path: Path) -> None:
    story: list[Flowable] = []
    for n in range(5):
        story += [said("Heading2", f"Part {n}, of the {papers.WHO[n]}")]
        story += [said("BodyText", TEXT)] * 2
    found = read(built(tmp_path / "a.pdf", story, columns=2), "pdf")
    assert headings(found) == [(f"Part {n}, of the {papers.WHO[n]}", 1) for n in range(5)]
    assert found.page_count == 1
    assert len(found.text) > 3_000  # more than the left column holds


def outlined(path: Path, entries: Sequence[str], lines: Sequence[str]) -> Path:
    canvas = Canvas(str(path), pagesize=A4)
    for n, entry in enumerate(entries):
        canvas.bookmarkPage(str(n))
        canvas.addOutlineEntry(entry, str(n), 0)
    place = A4[1] - 80
    for line in lines:
        canvas.setFont("Helvetica", 16)
        canvas.drawString(70, place, line)
        canvas.setFont("Helvetica", 10)
        for n in range(4):
            canvas.drawString(70, place - 30 - 14 * n, FILLER[:90])
        place -= 120
    canvas.save()
    return path


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (["Leave", "Travel"], ["Leave", "2.1 Travel"]),  # the outline names two of three
        (["Cover", "Inside", "Back"], ["Leave", "2.1 Travel", "Large"]),  # what stands nowhere
    ],
    ids=["its outline", "an outline of other things"],
)
def test_an_outline_wins_where_it_names_lines(
    tmp_path: Path, entries: list[str], told: list[str]
) -> None:
    path = outlined(tmp_path / "a.pdf", entries, ["Leave", "2.1 Travel", "Large"])
    assert [text for text, _ in headings(read(path, "pdf"))] == told


@pytest.mark.parametrize(
    "make", [papers.columns, papers.chinese, papers.rotated], ids=lambda make: make.__name__
)
def test_nothing_is_invented(tmp_path: Path, make: Any) -> None:
    assert headings(read(tmp_path / "a.pdf", "pdf", make())) == []


def test_running_heads_are_none(tmp_path: Path) -> None:
    def decorate(canvas: Canvas, template: Any) -> None:
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(60, A4[1] - 60, "The House of Lights")
        canvas.setFont("Helvetica-Bold", 10)
        canvas.drawString(60, 50, f"For internal use by employees {template.page}")
        canvas.setFont("Helvetica", 16)
        canvas.drawString(300, 50, f"Sheet {template.page} of {papers.WHO[0]}")

    path = built(tmp_path / "a.pdf", chapters(4), on_page=decorate)
    told = [text for text, _ in headings(read(path, "pdf"))]
    assert [text for text in told if text.startswith("House")] == [
        f"House {n}" for n in (1, 2, 3, 4)
    ]
    assert not {text for text in told if "Lights" in text or "internal" in text or "Sheet" in text}


def test_what_stands_in_a_table_is_none(tmp_path: Path) -> None:
    table = Table(
        [["Months of the year", "Guests"], ["January", "1,204"], ["February", "1,377"]],
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, "black"),
            ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 15),
        ],
    )
    story = [said("Heading1", "Guests"), said("BodyText", TEXT), table, said("BodyText", TEXT)]
    found = read(built(tmp_path / "a.pdf", story), "pdf")
    assert headings(found) == [("Guests", 1)]
    assert "Months of the year | Guests" in found.text


def test_a_list_of_contents_is_none(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(70, 760, "Contents")
    for n in range(6):
        canvas.setFont("Helvetica-Bold", 13)
        canvas.drawString(70, 720 - 40 * n, f"Chapter of the {papers.WHO[n]} {10 * n + 3}")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(
            90, 704 - 40 * n, f"What the {papers.WHO[n]} wrote down . . . . . {10 * n}"
        )
    canvas.showPage()
    canvas.setFont("Helvetica", 10)
    for n in range(40):
        canvas.drawString(70, 760 - 14 * n, FILLER[:90])
    canvas.save()
    assert headings(read(tmp_path / "a.pdf", "pdf")) == [("Contents", 1)]


def test_on_a_page_that_lies_on_its_side(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    canvas.setFont("Helvetica", 18)
    canvas.drawString(80, 520, "Guests by month")
    canvas.setFont("Helvetica", 10)
    for n in range(6):
        canvas.drawString(80, 480 - 14 * n, FILLER[:90])
    canvas.save()
    assert headings(read(tmp_path / "a.pdf", "pdf")) == [("Guests by month", 1)]


def test_pages_that_are_nearly_all_drawings_are_not_looked_at_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.beginForm("map")
    for n in range(200):
        canvas.line(n, n * 3 % 70, 300 - n, n * 7 % 90)
    canvas.endForm()
    for title in ("Guests by month", "Guests by house"):
        canvas.setFont("Helvetica", 18)
        canvas.drawString(80, 520, title)
        canvas.setFont("Helvetica", 10)
        for n in range(6):
            canvas.drawString(80, 480 - 14 * n, FILLER[:90])
        if title == "Guests by house":
            canvas.doForm("map")
        canvas.showPage()
    canvas.save()
    both = [("Guests by month", 1), ("Guests by house", 1)]
    whole = read(tmp_path / "a.pdf", "pdf")
    assert headings(whole) == both
    monkeypatch.setattr(pdf_lines, "MOST_DRAWN", 100)
    found = extract_pdf(tmp_path / "a.pdf")
    assert headings(found) == both[:1]
    assert "Guests by house" in found.text


def test_a_sign_that_is_drawn_a_thousand_times_counts_as_often(tmp_path: Path) -> None:
    """Plans have such: a small one made a page a hundred times as long to read."""
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.beginForm("bush")
    for n in range(60):
        canvas.line(n, n * 3 % 70, 60 - n, n * 7 % 90)
    canvas.endForm()
    canvas.beginForm("row")
    for _ in range(40):
        canvas.doForm("bush")
    canvas.endForm()
    for times in (1, 50):
        canvas.drawString(80, 520, "The garden")
        for _ in range(times):
            canvas.doForm("row")
        canvas.showPage()
    canvas.save()
    pages = PdfReader(tmp_path / "a.pdf").pages
    read = [pdf_lines.read_page(page, pdf_lines.Faces()) for page in pages]
    assert ["The garden" in text for text, _heard in read] == [True, True]
    assert [bool(heard.lines) for _text, heard in read] == [True, False]


@pytest.mark.parametrize(
    "odd",
    [
        {"/BaseFont": 7, "/FontDescriptor": {"/Flags": "many"}},
        {"/DescendantFonts": []},
        {"/DescendantFonts": 3, "/BaseFont": None},
    ],
    ids=["flags", "no descendant", "no list"],
)
def test_odd_fonts_are_not_bold_and_break_nothing(odd: dict[str, Any]) -> None:
    assert pdf_lines.Faces().is_bold(odd) is False
    page = pdf_lines.SetPage(pdf_lines.Faces())
    for size in (12.0, float("nan"), float("inf"), 0.0):
        page.hear("Words\n", [1.0, 0, 0, 1, 0, 0], [1.0, 0, 0, 1, 5, 5], odd, size)
    assert [line.text for line in page.lines] == ["Words"] * 4
    assert find_headings([page], {}) == {}


def test_a_row_that_begins_with_a_long_number_takes_no_time(tmp_path: Path) -> None:
    """Of an account, or a bill: each digit more took twice as long."""
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    for n in range(40):
        height = 780 - 14 * n
        canvas.drawString(30, height, "4" * 60 + " to")
        canvas.drawString(470, height, "be paid")
    canvas.save()
    assert "be paid" in extract_pdf(tmp_path / "a.pdf").text


@pytest.mark.parametrize(
    ("first", "is_row"),
    [
        ("1.2.3", False), ("IV.", False), ("A.1", False), ("B12)", False), ("12", False),
        ("Name", True), ("1 x", True), ("4" * 60 + " to", True),
    ],
)  # fmt: skip
def test_only_the_number_of_a_section_stands_apart_from_its_heading(
    first: str, is_row: bool
) -> None:
    pieces = [
        pdf_lines.Piece(first, 10.0, False, 0.0, 0.0),
        pdf_lines.Piece("Leave", 10.0, False, 2_000.0, 0.0),
    ]
    assert pdf_lines._is_row(pieces) is is_row
