"""One function for every type of file."""

from collections.abc import Callable
from pathlib import Path

from knowledge.extraction.html import extract_html
from knowledge.extraction.markdown import extract_markdown
from knowledge.extraction.pdf import extract_pdf
from knowledge.extraction.plain import extract_text
from knowledge.extraction.reasons import NO_TEXT, ExtractionFailed
from knowledge.extraction.word import extract_docx
from knowledge.types import Extracted

READERS: dict[str, Callable[[Path], Extracted]] = {
    "pdf": extract_pdf,
    "docx": extract_docx,
    "html": extract_html,
    "markdown": extract_markdown,
    "text": extract_text,
}


def read_file(path: Path, kind: str) -> Extracted:
    """Read a file in this process; raise `ExtractionFailed` with a reason for its owner."""
    extracted = READERS[kind](path)
    if not extracted.text.strip():
        raise ExtractionFailed(NO_TEXT)
    return extracted
