"""EPUB: the chapters of a book in reading order, each read as the page it is."""

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from knowledge.extraction.archives import ENTITIES, check_archive, opened
from knowledge.extraction.figures import HEAVIEST, Figures
from knowledge.extraction.html import decode_html, read_html
from knowledge.extraction.reasons import (
    DAMAGED,
    ENCRYPTED,
    TOO_MANY_PAGES,
    TOO_MUCH_TEXT,
    ExtractionFailed,
)
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import Extracted

MAX_CHAPTERS = 5_000
LARGEST_CHAPTER = 20 * 1024 * 1024  # bytes
_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})
_NAMES = {
    "c": "urn:oasis:names:tc:opendocument:xmlns:container",
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
    "enc": "http://www.w3.org/2001/04/xmlenc#",
}


def extract_epub(path: Path) -> Extracted:
    check_archive(path, ENTITIES)
    with opened(path) as archive:
        return _Book(archive).read()


class _Book:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())
        self._figures = Figures()

    def read(self) -> Extracted:
        place = self._xml("META-INF/container.xml").find(".//c:rootfile", _NAMES)
        package = unquote(place.get("full-path", "")) if place is not None else ""
        root = self._xml(package)
        builder = TextBuilder()
        chapters = [*self._chapters(root, posixpath.dirname(package))]
        if not chapters:
            raise ExtractionFailed(DAMAGED)
        if len(chapters) > MAX_CHAPTERS:
            raise ExtractionFailed(TOO_MANY_PAGES)
        if self._locked() & set(chapters):
            raise ExtractionFailed(ENCRYPTED)
        for name in chapters:
            self._add_chapter(builder, name)
        title = root.findtext(".//dc:title", "", _NAMES) or ""
        return builder.extracted(" ".join(title.split()), figures=self._figures.drawn)

    def _xml(self, name: str) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            return etree.fromstring(self._archive.read(name), parser)
        except (etree.XMLSyntaxError, KeyError) as error:
            raise ExtractionFailed(DAMAGED) from error

    def _chapters(self, root: etree._Element, folder: str) -> Iterator[str]:
        """The names of the pages in reading order; what the book does not hold is left out."""
        pages = {
            item.get("id", ""): posixpath.normpath(
                posixpath.join(folder, unquote(item.get("href", "")))
            )
            for item in root.iterfind(".//opf:manifest/opf:item", _NAMES)
            if item.get("media-type") in _PAGES and "nav" not in item.get("properties", "").split()
        }
        for place in root.iterfind(".//opf:spine/opf:itemref", _NAMES):
            name = pages.get(place.get("idref", ""), "")
            if name in self._names:
                yield name

    def _locked(self) -> set[str]:
        """What only its shop's program can read; fonts alone are no hindrance."""
        if "META-INF/encryption.xml" not in self._names:
            return set()
        found = self._xml("META-INF/encryption.xml").iterfind(".//enc:CipherReference", _NAMES)
        return {unquote(reference.get("URI", "")) for reference in found}

    def _add_chapter(self, builder: TextBuilder, name: str) -> None:
        folder = posixpath.dirname(name)

        def find(address: str) -> bytes:
            inside = posixpath.normpath(posixpath.join(folder, unquote(address)))
            if inside not in self._names or self._archive.getinfo(inside).file_size > HEAVIEST:
                return b""
            return self._archive.read(inside)

        if self._archive.getinfo(name).file_size > LARGEST_CHAPTER:
            raise ExtractionFailed(TOO_MUCH_TEXT)
        source = decode_html(self._archive.read(name))
        if source.strip():
            read_html(source, builder, self._figures, find)
