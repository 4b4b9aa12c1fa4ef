"""Attacks by tables, slides, mail, books, notebooks, data and programs; see `hostile_files`."""

import email.message
import io
import json
import mailbox
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pptx

from tests.support.hostile_kinds import EITHER, FAILED, MB, READ, REFUSED, Hostile

LAUGHS = "<!DOCTYPE w [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
)
EXTERNAL = "<!DOCTYPE w [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"


def plain_xlsx(text: str = "umbrella") -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Thing", "Count"])
    book.active.append([text, 3])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def plain_pptx(text: str = "umbrella") -> bytes:
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = text
    stream = io.BytesIO()
    deck.save(stream)
    return stream.getvalue()


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="{package}"/></rootfiles></container>'
)
PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
    '<item id="a" href="{href}" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>'
)
PAGE = "<html><body><p>umbrella</p></body></html>"


def epub(
    page: str | bytes = PAGE,
    *,
    href: str = "a.xhtml",
    container: str = CONTAINER.format(package="b.opf"),
    extra: dict[str, str | bytes] | None = None,
) -> bytes:
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "b.opf": PACKAGE.format(href=href),
            "a.xhtml": page,
            **(extra or {}),
        }
    )


def zipped(parts: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def exchanged(whole: bytes, parts: dict[str, str | bytes]) -> bytes:
    """An archive with some of its parts exchanged, or with more of them."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        found = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    return zipped({**found, **parts})


SHEET = "xl/worksheets/sheet1.xml"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def sheet(data: str, prologue: str = "", dimension: str = "") -> bytes:
    xml = f'<?xml version="1.0"?>{prologue}<worksheet xmlns="{_S}">{dimension}<sheetData>{data}'
    return exchanged(plain_xlsx(), {SHEET: f"{xml}</sheetData></worksheet>"})


def cell(place: str, text: str = "umbrella") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def far_cells() -> bytes:
    """17 thousand million cells, as far as the corners tell."""
    first = f'<row r="1">{cell("A1")}{cell("B1")}</row>'
    corners = f'{first}<row r="1048576">{cell("XFD1048576")}</row>'
    return sheet(corners, dimension='<dimension ref="A1:XFD1048576"/>')


def many_strings() -> bytes:
    strings = "<si><t>a</t></si>" * 1_000_000
    return exchanged(plain_xlsx(), {"xl/sharedStrings.xml": f'<sst xmlns="{_S}">{strings}</sst>'})


def groups_in_groups() -> bytes:
    a = "http://schemas.openxmlformats.org/presentationml/2006/main"
    deep = 5_000
    shapes = "<p:grpSp><p:nvGrpSpPr/><p:grpSpPr/>" * deep + "</p:grpSp>" * deep
    tree = f"<p:cSld><p:spTree><p:nvGrpSpPr/><p:grpSpPr/>{shapes}</p:spTree></p:cSld>"
    xml = f'<p:sld xmlns:p="{a}">{tree}</p:sld>'
    return exchanged(plain_pptx(), {"ppt/slides/slide1.xml": xml})


def nested_parts(depth: int) -> bytes:
    head = "Subject: umbrella\n" + "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth)
    )
    return (head + "\numbrella\n").encode()


def messages_in_messages(depth: int) -> bytes:
    return (b"Subject: umbrella\nContent-Type: message/rfc822\n\n" * depth) + b"umbrella\n"


def many_people() -> bytes:
    people = ", ".join(f'"Person {n}" <p{n}@example.org>' for n in range(100_000))
    return f"Subject: umbrella\nTo: {people}\n\numbrella\n".encode()


def mail_of(kind: str, body: bytes) -> bytes:
    return b"Subject: umbrella\nContent-Type: " + kind.encode() + b"\n\n" + body


def mailbox_of(count: int) -> bytes:
    message = email.message.EmailMessage()
    message["Subject"] = "umbrella"
    message.set_content("umbrella")
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.mbox")
        box = mailbox.mbox(path)
        box.add(message)
        box.close()
        return path.read_bytes() * count


def nested_json(depth: int, around: str = "[]") -> bytes:
    return (around[0] * depth + around[1] * depth).encode()


def notebook(cells: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells}).encode()


def rst_substitutions() -> bytes:
    lines = [".. |a0| replace:: umbrella"]
    lines += [f".. |a{n}| replace:: {f'|a{n - 1}| ' * 10}" for n in range(1, 9)]
    return "\n".join([*lines, "", "|a8|"]).encode()


RST_READS = (
    b"umbrella\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\n"
    b".. csv-table:: t\n   :file: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n"
)


def of(what: str, name: str, make: Callable[[], bytes], *outcomes: str) -> Hostile:
    return Hostile(what, name, make, outcomes)


TABLES = [
    of("the control of sheets", "control.xlsx", plain_xlsx, READ),
    of("a sheet of 220 MB", "bomb.xlsx",
       lambda: exchanged(plain_xlsx(), {SHEET: bytes(220 * MB)}), FAILED),
    of("laughs in a sheet", "laughs.xlsx",
       lambda: sheet(f'<row r="1">{cell("A1", "&a11;")}</row>', LAUGHS + "]>"), FAILED),
    of("a sheet that reads a file", "file.xlsx",
       lambda: sheet(f'<row r="1">{cell("A1", "&x;")}</row>', EXTERNAL), FAILED),
    of("cells in both corners of a sheet", "corners.xlsx", far_cells, READ),
    of("rows that go back", "back.xlsx",
       lambda: sheet(f'<row r="9">{cell("A9")}</row><row r="1">{cell("B1")}</row>' * 100), *EITHER),
    of("a cell at a place that is none", "place.xlsx",
       lambda: sheet('<row r="0"><c r="ZZZZZ99999999999"><v>1</v></c></row>'), *EITHER),
    of("a row number of twelve digits", "row.xlsx",
       lambda: sheet('<row r="999999999999"><c><v>1</v></c></row>'), *EITHER),
    of("a number beyond numbers", "number.xlsx",
       lambda: sheet(f'<row r="1"><c r="A1"><v>{"9" * 100_000}</v></c></row>'), *EITHER),
    of("a million strings that no cell has", "strings.xlsx", many_strings, *EITHER),
    of("elements 100,000 deep in a sheet", "deep.xlsx",
       lambda: sheet("<row>" * 100_000 + "</row>" * 100_000), *EITHER),
    of("a sheet that is missing", "missing.xlsx",
       lambda: zipped({"xl/workbook.xml": "<a/>", "[Content_Types].xml": "<a/>"}), FAILED),
    of("two documents in one archive", "two.xlsx",
       lambda: exchanged(plain_xlsx(), {"word/document.xml": "<a/>"}), REFUSED),
    of("a document named sheet", "word.xlsx",
       lambda: zipped({"word/document.xml": "<a/>"}), REFUSED),
    of("an old or encrypted sheet", "old.xlsx",
       lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), REFUSED),
    of("a cell of 20 MB in quotes that never end", "quotes.csv",
       lambda: b'a,b\n"' + b"word " * (4 * MB), *EITHER),
    of("two million commas", "commas.csv", lambda: b"," * 2_000_000, *EITHER),
    of("a million columns", "columns.csv", lambda: b"a," * 1_000_000 + b"\n1,2\n", *EITHER),
    of("NUL among cells", "nul.csv", lambda: b"a,b\n" * 3_000 + b"umbrella\0,2\n", READ),
    of("a picture named table", "picture.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(64), REFUSED),
    of("a page named table", "page.csv", lambda: b"<html><table><td>a", REFUSED),
]  # fmt: skip

SLIDES = [
    of("the control of slides", "control.pptx", plain_pptx, READ),
    of("a slide of 220 MB", "bomb.pptx",
       lambda: exchanged(plain_pptx(), {"ppt/slides/slide1.xml": bytes(220 * MB)}), FAILED),
    of("laughs in a slide", "laughs.pptx",
       lambda: exchanged(plain_pptx(), {"ppt/slides/slide1.xml": LAUGHS + "]><a>&a11;</a>"}),
       FAILED),
    of("groups 5,000 deep", "groups.pptx", groups_in_groups, *EITHER),
    of("a presentation without slides", "empty.pptx",
       lambda: zipped({"ppt/presentation.xml": "<a/>", "[Content_Types].xml": "<a/>"}), FAILED),
]  # fmt: skip

BOOKS = [
    of("the control of books", "control.epub", epub, READ),
    of("a chapter of 220 MB", "bomb.epub", lambda: epub(b"a" * (220 * MB)), FAILED),
    of("a chapter of 60 MB", "chapter.epub", lambda: epub(b"<p>a " * (12 * MB)), FAILED),
    of("laughs in a chapter", "laughs.epub", lambda: epub(f"{LAUGHS}]><p>&a11;</p>"), FAILED),
    of("laughs in the list of chapters", "list.epub",
       lambda: epub(container=f"{LAUGHS}]><a>&a11;</a>"), FAILED),
    of("a chapter outside the book", "climb.epub",
       lambda: epub(href="../../../../etc/passwd"), FAILED),
    of("a list of chapters outside the book", "package.epub",
       lambda: epub(container=CONTAINER.format(package="/etc/passwd")), FAILED),
    of("a chapter 100,000 deep", "deep.epub", lambda: epub("<div>" * 100_000 + "a"), *EITHER),
    of("a picture outside the book", "picture.epub",
       lambda: epub("<p>umbrella<img src='file:///etc/passwd'><img src='../../etc/passwd'>"), READ),
    of("the same chapter 100,000 times", "again.epub",
       lambda: epub(extra={"b.opf": PACKAGE.format(href="a.xhtml").replace(
           '<itemref idref="a"/>', '<itemref idref="a"/>' * 100_000)}), FAILED),
    of("a book for one shop's program", "locked.epub",
       lambda: epub(b"\x9f" * 99, extra={"META-INF/encryption.xml": (
           '<encryption><CipherReference xmlns="http://www.w3.org/2001/04/xmlenc#"'
           ' URI="a.xhtml"/></encryption>')}), FAILED),
    of("an archive that is no book", "plain.epub", lambda: zipped({"a": "b"}), REFUSED),
]  # fmt: skip

MAIL = [
    of("parts 90 deep", "parts.eml", partial(nested_parts, 90), *EITHER),
    of("parts 5,000 deep", "deep.eml", partial(nested_parts, 5_000), *EITHER),
    of("messages in messages", "messages.eml", partial(messages_in_messages, 3_000), *EITHER),
    of("100,000 people", "people.eml", many_people, READ),
    of("an encoding nobody knows", "charset.eml",
       partial(mail_of, "text/plain; charset=x-nothing", b"umbrella"), READ),
    of("base64 that is none", "base64.eml",
       partial(mail_of, "text/plain\nContent-Transfer-Encoding: base64", b"!umbrella!\xff"),
       *EITHER),
    of("a charset that reads files", "codec.eml",
       partial(mail_of, "text/plain; charset=../../etc/passwd", b"umbrella"), READ),
    of("a codec that unpacks", "zlib.eml",
       partial(mail_of, "text/plain; charset=zlib", b"umbrella"), READ),
    of("a subject of encoded words without end", "words.eml",
       lambda: b"Subject: " + b"=?utf-8?q?a?= " * 200_000 + b"\n\numbrella", READ),
    of("a page in a message, 100,000 deep", "page.eml",
       partial(mail_of, "text/html", b"<div>" * 100_000 + b"a"), *EITHER),
    of("no message", "none.eml", lambda: b"umbrella " * 100, FAILED),
    of("no mailbox", "none.mbox", lambda: b"umbrella " * 100, FAILED),
    of("300 messages", "many.mbox", partial(mailbox_of, 300), *EITHER),
]  # fmt: skip

DATA = [
    of("JSON lists 1,000,000 deep", "deep.json", partial(nested_json, 1_000_000), FAILED),
    of("JSON lists 500 deep", "lists.json", partial(nested_json, 500), FAILED),
    of("JSON objects without end", "objects.json", lambda: b'{"a":' * 200_000, FAILED),
    of("a number of a million digits", "digits.json", lambda: b'{"a": ' + b"9" * MB + b"}", READ),
    of("40,000 keys", "keys.json",
       lambda: json.dumps({f"key {n}": n for n in range(40_000)}).encode(), *EITHER),
    of("5,000 headings", "headings.json",
       lambda: json.dumps({f"key {n}": {"a": n} for n in range(5_000)}).encode(), *EITHER),
    of("half of a JSON file", "half.json", lambda: b'{"umbrella": [1, 2', FAILED),
    of("a broken line", "broken.jsonl", lambda: b'{"a": 1}\n{"a": ', FAILED),
    of("a notebook without cells", "none.ipynb", lambda: b"[1, 2]", FAILED),
    of("cells that are none", "cells.ipynb", lambda: notebook(["umbrella", 3]), FAILED),
    of("a cell of lists", "lists.ipynb",
       lambda: notebook([{"cell_type": "code", "source": [["a"], {"b": 1}], "outputs": [3]}]),
       FAILED),
    of("a cell of quotes 50,000 deep", "quotes.ipynb",
       lambda: notebook([{"cell_type": "markdown", "source": ">" * 50_000 + " a"}]), *EITHER),
    of("files that a page includes", "include.rst", lambda: RST_READS, READ),
    of("substitutions that multiply", "laughs.rst", rst_substitutions, *EITHER),
    of("lists 600 deep", "lists.rst",
       lambda: "".join(f"{' ' * n * 2}- a\n\n" for n in range(600)).encode(), *EITHER),
    of("a table of a million signs", "table.rst",
       lambda: b"+" + b"-" * MB + b"+\n|" + b" " * MB + b"|\n+" + b"-" * MB + b"+\n", *EITHER),
]  # fmt: skip

PROGRAMS = [
    of("brackets 100,000 deep", "deep.py", lambda: b"(" * 100_000, *EITHER),
    of("functions 2,500 deep", "functions.py",
       lambda: "".join(f"{' ' * n}def f{n}():\n" for n in range(2_500)).encode(), *EITHER),
    of("a program in one line of 10 MB", "line.js", lambda: b"var a=1;" * 1_250_000, *EITHER),
    of("signs that mean nothing", "noise.rs", lambda: b"}{)(" * 20_000, *EITHER),
    of("a string that never ends", "string.go", lambda: b"`" + b"umbrella\n" * 300_000, READ),
    of("templates in templates", "deep.cpp", lambda: b"A<" * 20_000, *EITHER),
    of("a binary named program", "binary.py", lambda: b"\x7fELF" + bytes(100), REFUSED),
    of("a PDF in a program", "pdf.py", lambda: b"\n%PDF-1.7\n", REFUSED),
    of("directions that hide", "trojan.c", "/* \u202e umbrella \u2066 */".encode, READ),
]  # fmt: skip

FORMATS = [*TABLES, *SLIDES, *BOOKS, *MAIL, *DATA, *PROGRAMS]
