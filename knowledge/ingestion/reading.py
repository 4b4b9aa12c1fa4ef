"""Fetch, extract and clean: from stored bytes to the text and the blocks of a file.

What was read before, of the same bytes and by the same reader, is taken from where it is kept.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from knowledge import kept, storage
from knowledge.extraction import ocr
from knowledge.extraction.process import SHORT, extract
from knowledge.extraction.reasons import MISSING, ExtractionFailed
from knowledge.file_types import type_of_media
from knowledge.ingestion.steps import READER
from knowledge.languages import guess_language
from knowledge.models import Document, DocumentText, DocumentVersion, Figure, Reading, VersionText
from knowledge.types import Drawn, Extracted

WORTH_KEEPING_SECONDS = 1.0  # what was read faster than this is as soon read again


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes that are to be indexed: of a version that waits, or of the document as it is."""

    stored_id: UUID
    media_type: str
    title: str


def content_of(document: Document, version: DocumentVersion | None) -> Content:
    this = document if version is None else version
    return Content(this.stored_id, this.media_type, this.title)


def fetch(content: Content) -> str:
    """The hash of the stored bytes; raises `ExtractionFailed` when they are not there."""
    try:
        with storage.path_of(content.stored_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ExtractionFailed(MISSING) from error


def read(
    document: Document, content: Content, sha256: str, check: Callable[[], None]
) -> tuple[Extracted, bool]:
    """What the file says, and whether that was kept from before."""
    found = _kept(document, sha256)
    if found is not None and not _may_say_more(found):
        return found, True
    began = time.monotonic()
    path = storage.path_of(content.stored_id)
    kind = type_of_media(content.media_type).kind
    extracted = extract(path, kind, check, settings.PARLEY_OCR)
    if time.monotonic() - began > WORTH_KEEPING_SECONDS:
        Reading.objects.update_or_create(
            document=document, read_of=sha256,
            defaults={"reader": READER, "kept": kept.pack(extracted, whole=True)},
        )  # fmt: skip
    return extracted, False


def clean(extracted: Extracted, content: Content) -> tuple[Extracted, str]:
    """With its language, and the title it goes by: the file's own, or the one it came with."""
    title = (" ".join(extracted.title.split()) or content.title)[:300]
    return replace(extracted, language=guess_language(extracted.text)), title


def _may_say_more(found: Extracted) -> bool:
    """Whether it was read before there was a program that reads its pictures."""
    return bool(found.pages_without_text) and not found.ocr and ocr.is_there(settings.PARLEY_OCR)


def _kept(document: Document, sha256: str) -> Extracted | None:
    """Of the searched text, of a past version, or of a reading whose worker went away."""
    rows = {"read_of": sha256, "reader": READER}
    if not document.version:
        if document.size <= SHORT:
            return None  # read sooner than looked up
        return _whole(Reading.objects.filter(document=document, **rows))
    text = DocumentText.objects.filter(document=document, **rows).first()
    if text is not None and text.kept is not None:
        found = kept.unpack(bytes(text.kept), text.text)
        figures = _figures(document) if found and kept.has_figures(bytes(text.kept)) else ()
        return found and replace(found, figures=figures)
    past = VersionText.objects.filter(version__document=document, **rows).first()
    # Its pictures were not kept: the file has them.
    if past is not None and past.kept is not None and not kept.has_figures(bytes(past.kept)):
        return kept.unpack(bytes(past.kept), past.text)
    return _whole(Reading.objects.filter(document=document, **rows))


def _whole(rows: "QuerySet[Reading]") -> Extracted | None:
    found = rows.first()
    return kept.unpack(bytes(found.kept)) if found else None


def _figures(document: Document) -> tuple[Drawn, ...]:
    rows = Figure.objects.filter(document=document, version=None).order_by("number")
    return tuple(Drawn(bytes(f.data), f.media_type, f.width, f.height) for f in rows)
