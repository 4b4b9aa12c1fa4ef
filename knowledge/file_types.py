"""What a file is, by its content and its name together; where they disagree it is refused."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePath

from django.utils.translation import gettext_noop as _

from knowledge.errors import UploadRefused
from knowledge.file_kinds import (
    ARCHIVES,
    ATTACHABLE,
    CSV,
    DOCX,
    EPUB,
    FILE_TYPES,
    GIF,
    HTML,
    IMAGES,
    JPEG,
    MARKDOWN,
    PDF,
    PNG,
    PPTX,
    PROGRAMS,
    TEXT,
    TSV,
    WEBP,
    XLSX,
    FileType,
)

__all__ = ["ATTACHABLE", "CSV", "DOCX", "FILE_TYPES", "HTML", "MARKDOWN", "PDF", "TEXT", "TSV"]

HEAD_SIZE = 8192
ENDINGS_SHOWN = ".pdf, .docx, .pptx, .xlsx, .csv, .md, .html, .epub, .eml, .ipynb, .json, .txt, .py"


class UnsupportedFile(UploadRefused):
    """The file cannot be taken; the text says why, in words for the person who sent it."""


EMPTY = _("The file is empty.")
NOT_ATTACHABLE = _(
    "This type of file cannot be attached. Attach images (.png, .jpg, .gif, .webp), .pdf, .docx, "
    ".pptx, .xlsx, .epub, .eml, .md, .html, or text, data and program files."
)
NOT_SUPPORTED = _(
    "This type of file cannot be read yet. Supported: .pdf, .docx, .pptx, .xlsx, .epub, .eml, .md, "
    ".html, and text, data and program files."
)
OLD_OFFICE = _(
    "This is an old or a password-protected Office file. Save it as .docx, .xlsx or .pptx without "
    "a password."
)
OLD_SHEET = _(
    "Sheets of this type are not read. Open it in Excel or LibreOffice, save it as .xlsx or .csv, "
    "and upload that."
)
OLD_TEXT = _(
    "Documents of this type are not read. Open it in Word or LibreOffice, save it as .docx or "
    ".pdf, and upload that."
)
OLD_SLIDES = _(
    "Slides of this type are not read. Open them in PowerPoint or LibreOffice, save them as .pptx "
    "or .pdf, and upload that."
)
NOT_WHAT_IT_SAYS = _(
    "The name and the content of this file disagree. Check its ending and try again."
)
NOT_WHAT_IS_DECLARED = _(
    "This file was sent as another type than it is. Check its ending and try again."
)
NOT_TEXT = _("This file does not hold text, although its name says so.")

_TO_BE_SAVED_ANEW = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".fods", ".numbers"), OLD_SHEET),
    **dict.fromkeys((".doc", ".odt", ".fodt", ".rtf", ".pages", ".wpd"), OLD_TEXT),
    **dict.fromkeys((".ppt", ".pps", ".odp", ".fodp"), OLD_SLIDES),
}
_NOTHING_SAID = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_BEFORE_PDF = b"\xef\xbb\xbf\0\t\n\f\r "  # what harmless files have before their mark
# Where readers of PDF still find its mark; a sentence about it does not look like this.
_PDF_INSIDE = re.compile(rb"(?:[\r\n>]|\A)\s*%PDF-\d\.\d")
_IMAGE_STARTS = (
    (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"GIF87a", GIF), (b"GIF89a", GIF),
)  # fmt: skip
_PARTS = (
    (DOCX, "word/document.xml"), (XLSX, "xl/workbook.xml"), (PPTX, "ppt/presentation.xml"),
    (EPUB, "META-INF/container.xml"),
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Where it is what the name says, a page stands in it as it may.
_MAY_HOLD_PAGES = (MARKDOWN, *PROGRAMS)
_BINARY_CONTROL = frozenset(range(32)) - {8, 9, 10, 12, 13, 27}


def detect_type(
    path: Path,
    file_name: str,
    declared: str = "",
    accepted: Sequence[FileType] = FILE_TYPES,
) -> FileType:
    """Return which of the accepted types the file at `path` has; raise `UnsupportedFile` for none.

    Content, name and what the client declares must agree; a client may declare nothing.
    """
    found = _detect(path, file_name, accepted)
    if not _agrees(declared.partition(";")[0].strip().lower(), found):
        raise UnsupportedFile(NOT_WHAT_IS_DECLARED)
    return found


def _agrees(declared: str, found: FileType) -> bool:
    if declared in _NOTHING_SAID or declared == found.media_type:
        return True
    if declared == HTML.media_type:
        return False
    return any(
        declared.startswith(known) if known.endswith("/") else declared == known
        for known in found.declared
    )


def _detect(path: Path, file_name: str, accepted: Sequence[FileType]) -> FileType:
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
    if not head:
        raise UnsupportedFile(EMPTY)
    if advice := _TO_BE_SAVED_ANEW.get(PurePath(file_name).suffix.lower()):
        raise UnsupportedFile(advice)
    named = _by_name(file_name, accepted)
    found = _by_content(path, head)
    if found is None and PNG in accepted:
        found = _image_in(head)
    if named is None:
        unknown = NOT_SUPPORTED if accepted is FILE_TYPES else NOT_ATTACHABLE
        raise UnsupportedFile(OLD_OFFICE if head.startswith(_OLE) else unknown)
    if found is None:
        if named in {PDF, *ARCHIVES, *IMAGES}:
            raise UnsupportedFile(OLD_OFFICE if head.startswith(_OLE) else NOT_WHAT_IT_SAYS)
        if not _is_text(head):
            raise UnsupportedFile(NOT_TEXT)
        if _PDF_INSIDE.search(head[:1024]):
            raise UnsupportedFile(NOT_WHAT_IT_SAYS)  # two files in one: each reader sees another
        found = HTML if _is_html(head) and named not in _MAY_HOLD_PAGES else named
        # A page without <html> at its start is still a page when its name says so.
    if found is not named:
        raise UnsupportedFile(NOT_WHAT_IT_SAYS)
    return found


def _by_name(file_name: str, accepted: Sequence[FileType]) -> FileType | None:
    ending = PurePath(file_name).suffix.lower()
    return next((known for known in accepted if ending in known.endings), None)


def type_of_media(media_type: str) -> FileType:
    """The type stored as `media_type`; raise `UnsupportedFile` for one that is not known."""
    for known in ATTACHABLE:
        if known.media_type == media_type:
            return known
    raise UnsupportedFile(NOT_SUPPORTED)


def _by_content(path: Path, head: bytes) -> FileType | None:
    if head.lstrip(_BEFORE_PDF).startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _document_in(path)
    return None


def _image_in(head: bytes) -> FileType | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    return next((kind for start, kind in _IMAGE_STARTS if head.startswith(start)), None)


def _document_in(path: Path) -> FileType | None:
    """Which document an archive is; an archive of two is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    found = [kind for kind, name in _PARTS if name in names]
    return found[0] if len(found) == 1 else None


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    if head.startswith((b"PK\x03\x04", _OLE, b"\x7fELF", b"MZ\x90", b"\x89PNG", b"\xff\xd8\xff")):
        return False
    return not any(byte in _BINARY_CONTROL for byte in head)


def _is_html(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    return start.startswith((b"<!doctype html", b"<html"))
