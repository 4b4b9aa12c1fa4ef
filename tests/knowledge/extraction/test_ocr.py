"""Pages that are pictures, read where Tesseract is installed; without it they are named."""

import io
from collections.abc import Iterator
from pathlib import Path

import fpdf
import pypdf
import pytest
from django.test import Client
from PIL import Image, ImageDraw, ImageFont

from accounts.models import User
from config import doctor
from knowledge import services
from knowledge.extraction import ocr
from knowledge.extraction.process import ReadingProcess
from knowledge.models import Collection, Document, DocumentText
from knowledge.queueing import reindex_document
from knowledge.retrieval import search
from tests.knowledge import files
from tests.knowledge.conftest import run_job

ENGLISH = "Umbrellas are kept in the hall\nbeside the door. Anybody may\nborrow one for a week."
CHINESE = "员工每年享有二十五天带薪年假\n未使用的假期在三月底失效"
CJK_FONTS = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"

needs_tesseract = pytest.mark.skipif(
    not ocr.describe("eng"), reason="Tesseract is not installed (Debian: tesseract-ocr)"
)


def picture_of(text: str, font: str = "", *, turned: int = 0) -> bytes:
    """A page as a scanner sees it: grey, at 150 dots an inch."""
    face = ImageFont.truetype(font, 44) if font else ImageFont.load_default(44)
    page = Image.new("L", (1240, 700), 240)
    ImageDraw.Draw(page).multiline_text((120, 120), text, fill=30, font=face, spacing=24)
    target = io.BytesIO()
    page.rotate(turned, expand=True).save(target, "JPEG", quality=80)
    return target.getvalue()


def scan(*pages: bytes | str) -> bytes:
    """Words are a text layer, bytes a picture."""
    pdf = fpdf.FPDF()
    for page in pages:
        pdf.add_page()
        if isinstance(page, str):
            pdf.set_font("Helvetica")
            pdf.multi_cell(0, text=page)
        else:
            pdf.image(io.BytesIO(page), w=pdf.epw)
    return bytes(pdf.output())


@pytest.fixture
def reader() -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.close()


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Words, a scan, a photograph and a scan that stands on its side."""
    path = tmp_path / "mixed.pdf"
    photograph = files.make_picture("JPEG", (600, 400))
    path.write_bytes(scan("The first page has words of its own.", picture_of(ENGLISH), photograph))
    return path


@needs_tesseract
def test_pictures_are_read_in_the_confined_process(reader: ReadingProcess, mixed: Path) -> None:
    found = reader.extract(mixed, "pdf", languages="eng")
    assert (found.pages_by_ocr, found.pages_without_text) == ([2], [3])
    assert found.ocr.startswith("tesseract ")
    said = {block.page: found.text[block.start : block.end] for block in found.blocks}
    assert said[2] == " ".join(ENGLISH.split())
    unread = reader.extract(mixed, "pdf")
    assert (unread.pages_by_ocr, unread.pages_without_text, unread.ocr) == ([], [2, 3], "")


@needs_tesseract
def test_chinese_is_read_without_spaces(reader: ReadingProcess, tmp_path: Path) -> None:
    if "chi_sim" not in ocr.describe("chi_sim") or not Path(CJK_FONTS).exists():
        pytest.skip("tesseract-ocr-chi-sim or fonts-noto-cjk is not installed")
    path = tmp_path / "a.pdf"
    path.write_bytes(scan(picture_of(CHINESE, CJK_FONTS)))
    found = reader.extract(path, "pdf", languages="chi_sim+eng")
    assert "".join(found.text.split()) == "".join(CHINESE.split())
    assert " " not in found.text


@needs_tesseract
def test_a_page_that_was_turned_is_read_upright(reader: ReadingProcess, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    document = pypdf.PdfWriter(io.BytesIO(scan(picture_of(ENGLISH, turned=90))))
    for page in document.pages:
        page.rotate(90)
    document.write(path)
    assert "borrow one" in reader.extract(path, "pdf", languages="eng").text


@needs_tesseract
def test_what_reading_pictures_breaks_is_read_without_them(
    reader: ReadingProcess, mixed: Path
) -> None:
    """Too little memory for the program's data, and enough for everything else."""
    reader.extract(mixed, "pdf", languages="eng")
    process = reader._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    taken = next(int(line.split()[1]) for line in status.splitlines() if "VmSize" in line)
    found = reader.extract(mixed, "pdf", {"memory": (taken + 12_000) * 1024}, languages="eng")
    assert found.text == "The first page has words of its own."
    assert found.pages_without_text == [2, 3]


@needs_tesseract
@pytest.mark.django_db
def test_what_was_unread_is_read_once_the_program_is_there(
    alice: User, handbook: Collection, mixed: Path, settings, client: Client
) -> None:
    """Only what has such pages: nothing else is made again."""
    file = io.BytesIO(mixed.read_bytes())
    document, _ = services.add_document(alice, handbook, file, "mixed.pdf")
    run_job(document)
    assert DocumentText.objects.get(document=document).pages_without_text == [2, 3]
    settings.PARLEY_OCR = "eng"
    reindex_document(document, is_forced=False)
    run_job(document)
    assert document.status == Document.Status.READY
    text = DocumentText.objects.get(document=document)
    assert (text.pages_by_ocr, text.pages_without_text) == ([2], [3])
    [passage] = search(alice, "borrow an umbrella").passages[:1]
    assert "borrow one" in passage.text
    assert document.version_number == 2  # what was quoted of the first reading stays quoted
    client.force_login(alice)
    page = client.get(f"/knowledge/documents/{document.pk}/").content.decode()
    assert "Page 2 is a picture. It was read by OCR" in page
    assert "Page 3 holds no text" in page
    reindex_document(document, is_forced=False)
    run_job(document)
    assert document.stages.get(name="extract").is_kept
    assert document.stages.get(name="chunk").is_kept


def test_without_the_program_nothing_changes(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    ocr._library.cache_clear()
    monkeypatch.setattr(ocr, "LIBRARIES", ("libnothing-of-the-kind.so",))
    try:
        ocr.turn_on("eng")
        assert (ocr.is_there("eng"), ocr.open_engine(), ocr.describe("eng")) == (False, None, "")
        settings.PARLEY_OCR = "eng"
        finding = doctor.check_ocr()
        assert (finding.status, "not installed" in finding.message) == (doctor.OK, True)
        settings.PARLEY_OCR = ocr.OFF
        assert doctor.check_ocr().message.startswith("off")
    finally:
        ocr._library.cache_clear()
