"""`knowledge.file_types`: name and content together decide, and must agree."""

from pathlib import Path

import pytest

from knowledge.file_types import (
    DOCX,
    EMPTY,
    HTML,
    MARKDOWN,
    NOT_SUPPORTED,
    NOT_TEXT,
    NOT_WHAT_IT_SAYS,
    OLD_OFFICE,
    OLD_SHEET,
    OLD_SLIDES,
    OLD_TEXT,
    PDF,
    TEXT,
    UnsupportedFile,
    detect_type,
)
from tests.knowledge import files

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0198"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"words", TEXT),
        ("README", b"words", TEXT),
        ("A.MD", b"# words", MARKDOWN),
        ("a.md", b"<html> in a Markdown file", MARKDOWN),
        ("a.htm", b"<p>words", HTML),
        ("a.txt", "年假".encode("gb18030"), TEXT),
        ("a.txt", "年假".encode("utf-16"), TEXT),
    ],
)
def test_text_formats(path: Path, name: str, content: bytes, expected: object) -> None:
    path.write_bytes(content)
    assert detect_type(path, name) is expected


def test_binary_formats(path: Path) -> None:
    assert detect_type(files.make_pdf(path), "a.pdf") is PDF
    assert detect_type(files.make_docx(path), "a.DOCX") is DOCX


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"", EMPTY),
        ("a.pdf", b"plain words", NOT_WHAT_IT_SAYS),
        ("a.docx", b"plain words", NOT_WHAT_IT_SAYS),
        ("a.txt", b"%PDF-1.7\n", NOT_WHAT_IT_SAYS),
        ("a.txt", b"<!DOCTYPE html><html>", NOT_WHAT_IT_SAYS),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(50), NOT_TEXT),
        ("a.md", bytes(100), NOT_TEXT),
        ("a.docx", b"PK\x03\x04" + bytes(100), NOT_WHAT_IT_SAYS),
        ("a.doc", OLE, OLD_TEXT),
        ("a.xls", OLE, OLD_SHEET),
        ("a.ods", b"PK\x03\x04", OLD_SHEET),
        ("a.odp", b"PK\x03\x04", OLD_SLIDES),
        ("a.docx", OLE, OLD_OFFICE),
        ("a.exe", b"MZ\x90", NOT_SUPPORTED),
        ("a.svg", b"<svg/>", NOT_SUPPORTED),
    ],
)
def test_refusals(path: Path, name: str, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(UnsupportedFile, match=reason):
        detect_type(path, name)
