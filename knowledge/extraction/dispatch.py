"""One function for every type of file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from knowledge.extraction.book import extract_epub
from knowledge.extraction.code import extract_code
from knowledge.extraction.delimited import extract_csv
from knowledge.extraction.html import extract_html
from knowledge.extraction.json_files import extract_json, extract_jsonl
from knowledge.extraction.mail import extract_eml, extract_mbox
from knowledge.extraction.markdown import extract_markdown
from knowledge.extraction.notebook import extract_ipynb
from knowledge.extraction.pdf import extract_pdf
from knowledge.extraction.plain import extract_text
from knowledge.extraction.reasons import NO_TEXT, ExtractionFailed
from knowledge.extraction.restructured import extract_rst
from knowledge.extraction.sheets import extract_xlsx
from knowledge.extraction.slides import extract_pptx
from knowledge.extraction.word import extract_docx
from knowledge.types import Extracted

READERS: dict[str, Callable[[Path], Extracted]] = {
    "csv": extract_csv,
    "docx": extract_docx,
    "epub": extract_epub,
    "html": extract_html,
    "ipynb": extract_ipynb,
    "json": extract_json,
    "jsonl": extract_jsonl,
    "markdown": extract_markdown,
    "pdf": extract_pdf,
    "pptx": extract_pptx,
    "rst": extract_rst,
    "text": extract_text,
    "xlsx": extract_xlsx,
}
MAIL = {"eml": extract_eml, "mbox": extract_mbox}  # which hold other files
CODE = "code"


def read_file(path: Path, kind: str) -> Extracted:
    """Read a file in this process; raise `ExtractionFailed` with a reason for its owner.

    Of a program the kind says its language too: `code:python`.
    """
    extracted = _reader_of(kind)(path)
    if not extracted.text.strip():
        raise ExtractionFailed(NO_TEXT)
    return extracted


def _reader_of(kind: str) -> Callable[[Path], Extracted]:
    family, _, language = kind.partition(":")
    if family == CODE:
        return partial(extract_code, language=language)
    return partial(MAIL[kind], read=read_file) if kind in MAIL else READERS[kind]
