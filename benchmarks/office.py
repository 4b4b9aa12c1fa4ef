"""Files as a team's folder has them, made by other programs' libraries.

Of ten files three are PDFs, two Word, one PowerPoint and one Excel file, two Markdown and one HTML;
pictures are most of the bytes of those that have them, as in a real folder.
"""

import io
import random
from collections.abc import Callable, Iterator

from PIL import Image

Paragraphs = list[str]
Make = Callable[[Paragraphs, bytes], bytes]

KINDS = ("pdf", "docx", "md", "pdf", "pptx", "html", "pdf", "docx", "xlsx", "md")
PICTURED = {"pdf", "docx", "pptx"}
PARAGRAPHS = 6  # of some 130 words each
BYTES_OF_A_PIXEL = 2.6  # of noise as a PNG


def make_files(start: int, count: int, size: int, passage: Callable[[], str]) -> Iterator[bytes]:
    """`count` files from number `start`, of `size` bytes on average."""
    share = sum(kind in PICTURED for kind in KINDS) / len(KINDS)
    picture = max(5_000, round((size - 5_000) / share))
    for number in range(start, start + count):
        kind = KINDS[number % len(KINDS)]
        texts = [passage() for _ in range(PARAGRAPHS)]
        yield MAKERS[kind](texts, noise(picture, number) if kind in PICTURED else b"")


def name_of(number: int) -> str:
    return f"{number}.{KINDS[number % len(KINDS)]}"


def noise(size: int, seed: int) -> bytes:
    """A picture that does not become smaller."""
    width = max(8, int((size / BYTES_OF_A_PIXEL) ** 0.5))
    pixels = random.Random(seed).randbytes(width * width * 3)
    made = io.BytesIO()
    Image.frombytes("RGB", (width, width), pixels).save(made, "PNG", compress_level=1)
    return made.getvalue()


def pdf(texts: Paragraphs, picture: bytes) -> bytes:
    from fpdf import FPDF

    page = FPDF()
    page.set_font("Helvetica", size=10)
    page.add_page()
    page.image(io.BytesIO(picture), w=120)
    for text in texts:
        page.multi_cell(0, 5, text)
        page.ln(3)
    return bytes(page.output())


def word(texts: Paragraphs, picture: bytes) -> bytes:
    import docx

    made, document = io.BytesIO(), docx.Document()
    document.add_picture(io.BytesIO(picture))
    for number, text in enumerate(texts):
        if number % 5 == 0:
            document.add_heading(text[:40], 2)
        document.add_paragraph(text)
    document.save(made)
    return made.getvalue()


def slides(texts: Paragraphs, picture: bytes) -> bytes:
    import pptx

    made, show = io.BytesIO(), pptx.Presentation()
    for text in texts:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = text[:40], text[:300]
    show.slides[0].shapes.add_picture(io.BytesIO(picture), 0, 0)
    show.save(made)
    return made.getvalue()


def sheet(texts: Paragraphs, _picture: bytes) -> bytes:
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        page = book.add_worksheet("Items")
        page.write_row(0, 0, ["Item", "Number", "Words"])
        for row, word_ in enumerate(" ".join(texts).split()[:300], 1):
            page.write_row(row, 0, [word_, row, texts[row % len(texts)][:60]])
    return made.getvalue()


def markdown(texts: Paragraphs, _picture: bytes) -> bytes:
    return "\n\n".join(f"## {text[:40]}\n\n{text}" for text in texts).encode()


def page(texts: Paragraphs, _picture: bytes) -> bytes:
    body = "".join(f"<h2>{text[:40]}</h2><p>{text}</p>" for text in texts)
    return f"<!doctype html><title>Page</title><main>{body}</main>".encode()


MAKERS: dict[str, Make] = {
    "pdf": pdf, "docx": word, "pptx": slides, "xlsx": sheet, "md": markdown, "html": page,
}  # fmt: skip
