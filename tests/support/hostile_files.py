"""Files that attack whoever reads them, made on the spot: `HOSTILE` lists them all.

Each has what must become of it: `refused` when it is uploaded, `failed` with a reason when it is
read, or `read` as far as a harmless text is in it.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

import docx

from tests.support.hostile_formats import FORMATS
from tests.support.hostile_kinds import EITHER, FAILED, MB, READ, REFUSED, Hostile

# -- Archives --------------------------------------------------------------------------------------


def plain_docx(text: str = "A harmless sentence about umbrellas.") -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def docx_with(
    extra: Iterable[tuple[str, bytes]] = (), *, replace: dict[str, bytes] | None = None
) -> bytes:
    """A good .docx with more parts, or with some of its own exchanged."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain_docx())) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, (replace or {}).get(entry.filename, source.read(entry)))
        for name, data in extra:
            target.writestr(name, data)
    return stream.getvalue()


def document_xml(prologue: str = "", body: str = "", encoding: str = "utf-8") -> bytes:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>{prologue}<w:document xmlns:w="{w}"><w:body>'
        f"{body}<w:p><w:r><w:t>umbrella</w:t></w:r></w:p></w:body></w:document>"
    )
    return text.encode(encoding)


def docx_of(xml: bytes) -> bytes:
    return docx_with(replace={"word/document.xml": xml})


def ratio_bomb() -> bytes:
    return docx_with([("word/media/a.bin", bytes(220 * MB))])


def overlap_bomb() -> bytes:
    """Thousands of entries of the directory that all quote the same packed megabyte."""
    packed = zlib.compress(bytes(MB), 9)[2:-4]
    local = zip_header(b"word/document.xml", packed, MB)
    data = local + packed
    entries = b"".join(
        zip_entry(b"word/document.xml" if number == 0 else b"a%05d" % number, packed, MB)
        for number in range(9_000)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9_000, 9_000, len(entries), len(data), 0)
    return data + entries + end


def zip_header(name: bytes, packed: bytes, size: int) -> bytes:
    crc = zlib.crc32(bytes(MB))
    fixed = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0x21, crc, len(packed), size, len(name), 0
    )
    return fixed + name


def zip_entry(name: bytes, packed: bytes, size: int) -> bytes:
    sizes = zlib.crc32(bytes(MB)), len(packed), size
    fixed = struct.pack("<4s6H3L", b"PK\1\2", 20, 20, 0, 8, 0, 0x21, *sizes)
    return fixed + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name


def lying_sizes() -> bytes:
    """The directory says that a part of 200 MB has ten bytes."""
    whole = docx_with([("word/media/a.bin", bytes(200 * MB))])
    return whole.replace(struct.pack("<L", 200 * MB), struct.pack("<L", 10))


def nested_bombs() -> bytes:
    inner = docx_with([("word/media/a.bin", bytes(50 * MB))])
    for _ in range(2):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as outer:
            for number in range(10):
                outer.writestr(f"{number}.zip", inner)
        inner = stream.getvalue()
    return docx_with([("word/embeddings/a.zip", inner)])


def many_entries() -> bytes:
    return docx_with((f"word/media/{number}", b"") for number in range(20_000))


TRAVERSALS = (
    "../../../../tmp/parley-pwned", "/tmp/parley-pwned", "..\\..\\parley-pwned", "C:\\parley-pwned",
    "word/../../parley-pwned", "word/media/\x01\x02", "-rf", "CON", "word/" + "a" * 4_000,
)  # fmt: skip

LAUGHS = "<!DOCTYPE w [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
)
EXTERNAL = "<!DOCTYPE w [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
PARAMETER = "<!DOCTYPE w [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x.dtd'> %x;]>"

ARCHIVES = [
    Hostile("a part of 220 MB in 220 kB", "bomb.docx", ratio_bomb, (FAILED,)),
    Hostile("9,000 entries that quote one megabyte", "overlap.docx", overlap_bomb, (FAILED,)),
    Hostile("sizes that lie", "lie.docx", lying_sizes, (FAILED,)),
    Hostile("archives in archives in archives", "nested.docx", nested_bombs, (READ,)),
    Hostile("20,000 entries", "many.docx", many_entries, (FAILED,)),
    Hostile(
        "names that climb out",
        "climb.docx",
        lambda: docx_with((n, b"x") for n in TRAVERSALS),
        (READ,),
    ),
    Hostile("a cut archive", "cut.docx", lambda: plain_docx()[:-400], (REFUSED,)),
    Hostile(
        "an archive that is no document", "zip.docx", lambda: b"PK\5\6" + bytes(18), (REFUSED,)
    ),
    Hostile(
        "a billion laughs",
        "laughs.docx",
        lambda: docx_of(document_xml(LAUGHS + "]>", "<w:p><w:r><w:t>&a11;</w:t></w:r></w:p>")),
        (FAILED,),
    ),
    Hostile(
        "an entity that is a file",
        "entity.docx",
        lambda: docx_of(document_xml(EXTERNAL, "<w:p><w:r><w:t>&x;</w:t></w:r></w:p>")),
        (FAILED,),
    ),
    Hostile(
        "a DTD from elsewhere", "dtd.docx", lambda: docx_of(document_xml(PARAMETER)), (FAILED,)
    ),
    *(
        Hostile(
            f"a DTD in {encoding}",
            f"{encoding}.docx",
            lambda encoding=encoding: docx_of(document_xml(EXTERNAL, encoding=encoding)),
            (FAILED,),
        )
        for encoding in ("utf-16", "utf-32", "utf-7", "cp037")
    ),
    Hostile(
        "a DTD in a part nobody names",
        "custom.docx",
        lambda: docx_with([("customXml/item1.dat", document_xml(EXTERNAL))]),
        (FAILED,),
    ),
    Hostile(
        "50,000 elements deep",
        "deep.docx",
        lambda: docx_of(document_xml(body="<w:sdt>" * 50_000 + "</w:sdt>" * 50_000)),
        EITHER,
    ),
    Hostile(
        "200,000 cells",
        "cells.docx",
        lambda: docx_of(
            document_xml(body="<w:tbl>" + f"<w:tr>{'<w:tc/>' * 200}</w:tr>" * 1_000 + "</w:tbl>")
        ),
        EITHER,
    ),
]

# -- PDF -------------------------------------------------------------------------------------------

PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
TEXT = b"BT /F 9 Tf 1 1 Td (umbrella umbrella umbrella) Tj ET"


def stream_of(data: bytes, entries: str = "") -> bytes:
    return f"<<{entries}/Length {len(data)}>>stream\n".encode() + data + b"\nendstream"


def pdf(changes: dict[int, bytes | str] | None = None) -> bytes:
    """One page of text, with some of its objects exchanged or added."""
    objects: dict[int, bytes | str] = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: PAGE,
        4: stream_of(TEXT),
        5: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **(changes or {}),
    }
    out = bytearray(b"%PDF-1.7\n")
    table = []
    for number in sorted(objects):
        found = objects[number]
        table.append((number, len(out)))
        body = found.encode() if isinstance(found, str) else found
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, at in table:
        out += f"{number} 1\n{at:010d} 00000 n \n".encode()
    out += f"trailer<</Root 1 0 R/Size {max(objects) + 1}>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def xref_loop() -> bytes:
    whole = pdf()
    at = whole.rindex(b"xref\n0 1\n")
    return whole.replace(b"/Root", b"/Prev %d/Root" % at)


def deflated(size: int, times: int = 1, piece: bytes = b"\0") -> bytes:
    data = piece * (size // len(piece))
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


CMAP = (
    b"begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    b"100 beginbfrange\n" + b"<00000000> <FFFFFFFF> <0041>\n" * 100 + b"endbfrange endcmap"
)
ENDLESS_FONT = (
    "<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/ToUnicode 6 0 R"
    "/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/A/W[0 2000000000 500]>>]>>"
)

PDFS = [
    Hostile("the control", "control.pdf", pdf, (READ,)),
    Hostile(
        "a page tree that contains itself",
        "loop.pdf",
        lambda: pdf({2: "<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>"}),
        EITHER,
    ),
    Hostile(
        "two page trees that contain each other",
        "ring.pdf",
        lambda: pdf(
            {2: "<</Type/Pages/Kids[6 0 R 6 0 R]>>", 6: "<</Type/Pages/Kids[2 0 R 2 0 R]>>"}
        ),
        (FAILED,),
    ),
    Hostile(
        "page trees that double thirty times",
        "doubling.pdf",
        lambda: pdf(
            {2: "<</Type/Pages/Kids[10 0 R 10 0 R]>>"}
            | {n: f"<</Type/Pages/Kids[{n + 1} 0 R {n + 1} 0 R]>>" for n in range(10, 40)}
            | {40: PAGE}
        ),
        (FAILED,),
    ),
    Hostile(
        "two thousand million pages",
        "count.pdf",
        lambda: pdf({2: "<</Type/Pages/Kids[3 0 R]/Count 2000000000>>"}),
        EITHER,
    ),
    Hostile(
        "20,000 times the same page",
        "pages.pdf",
        lambda: pdf({2: f"<</Type/Pages/Kids[{'3 0 R ' * 20_000}]/Count 20000>>"}),
        (FAILED,),
    ),
    Hostile("a table of objects that comes before itself", "prev.pdf", xref_loop, EITHER),
    Hostile(
        "arrays 200,000 deep",
        "arrays.pdf",
        lambda: pdf({3: PAGE[:-2] + "/A" + "[" * 200_000 + "]" * 200_000 + ">>"}),
        (FAILED,),
    ),
    Hostile(
        "dictionaries 100,000 deep",
        "dictionaries.pdf",
        lambda: pdf({3: PAGE[:-2] + "/A" + "<</A" * 100_000 + " 1" + ">>" * 100_000 + ">>"}),
        EITHER,
    ),
    Hostile(
        "an object that is itself",
        "self.pdf",
        lambda: pdf({3: "3 0 R"}),
        (FAILED,),
    ),
    Hostile(
        "a page of 200 MB in 200 kB",
        "content.pdf",
        lambda: pdf({4: stream_of(deflated(200 * MB), "/Filter/FlateDecode")}),
        (FAILED,),
    ),
    Hostile(
        "a page packed a thousand times",
        "filters.pdf",
        lambda: pdf({4: stream_of(deflated(MB), f"/Filter[{'/FlateDecode' * 1000}]")}),
        (FAILED,),
    ),
    Hostile(
        "a page packed three times over",
        "thrice.pdf",
        lambda: pdf({4: stream_of(deflated(200 * MB, 3), "/Filter[" + "/FlateDecode" * 3 + "]")}),
        (FAILED,),
    ),
    Hostile(
        "a predictor of two thousand million columns",
        "predictor.pdf",
        lambda: pdf(
            {
                4: stream_of(
                    deflated(MB),
                    "/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2000000000>>",
                )
            }
        ),
        (FAILED,),
    ),
    Hostile(
        "a font without an end",
        "font.pdf",
        lambda: pdf({5: ENDLESS_FONT, 6: stream_of(CMAP)}),
        EITHER,
    ),
    Hostile(
        "a million operators",
        "operators.pdf",
        lambda: pdf({4: stream_of(deflated(20 * MB, piece=b"q "), "/Filter/FlateDecode")}),
        (FAILED,),
    ),
    Hostile(
        "a form that draws itself",
        "form.pdf",
        lambda: pdf(
            {
                3: PAGE.replace("/Font", "/XObject<</X 6 0 R>>/Font"),
                4: stream_of(b"/X Do " * 100),
                6: stream_of(
                    b"/X Do " * 100,
                    "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>",
                ),
            }
        ),
        (FAILED,),
    ),
    Hostile(
        "an outline that leads to itself",
        "outline.pdf",
        lambda: pdf(
            {
                1: "<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>",
                6: "<</First 7 0 R/Last 7 0 R>>",
                7: "<</Title(a)/Next 7 0 R/First 7 0 R/Dest[3 0 R/Fit]>>",
            }
        ),
        EITHER,
    ),
    Hostile(
        "a script and an attachment",
        "script.pdf",
        lambda: pdf({1: "<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.x)>>>>"}),
        (READ,),
    ),
    Hostile("nothing but a head", "head.pdf", lambda: b"%PDF-1.7\n", (FAILED,)),
]

# -- Text ------------------------------------------------------------------------------------------

TEXTS = [
    Hostile("HTML 200,000 deep", "deep.html", lambda: b"<div>" * 200_000 + b"a", EITHER),
    Hostile("lists 20,000 deep", "lists.html", lambda: b"<ul><li>" * 20_000 + b"a", EITHER),
    Hostile("tables in tables", "tables.html", lambda: b"<table><tr><td>a" * 20_000, EITHER),
    Hostile(
        "20,000 attributes",
        "attributes.html",
        lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">umbrella",
        EITHER,
    ),
    Hostile(
        "entities in HTML",
        "entities.html",
        f"{EXTERNAL}<html><p>umbrella &x;".encode,
        (READ,),
    ),
    Hostile("quotes 50,000 deep", "quotes.md", lambda: b">" * 50_000 + b" a", EITHER),
    Hostile("brackets", "brackets.md", lambda: b"[" * 20_000 + b"a" + b"](b)" * 9, EITHER),
    Hostile("emphasis", "emphasis.md", lambda: b"*a_ " * 20_000, EITHER),
    Hostile(
        "back quotes", "ticks.md", lambda: b"".join(b"`" * n + b" " for n in range(1_000)), EITHER
    ),
    Hostile(
        "nested lists",
        "lists.md",
        lambda: b"\n".join(b"  " * n + b"- a" for n in range(1_000)),
        EITHER,
    ),
    Hostile("JSON 1,000,000 deep", "json.txt", lambda: b"[" * 1_000_000, EITHER),
    Hostile("one line of 20 MB", "line.txt", lambda: b"word" * (5 * MB), EITHER),
    Hostile("two million paragraphs", "paragraphs.txt", lambda: b"a\n\n" * 2_000_000, (FAILED,)),
    Hostile("UTF-7", "seven.html", lambda: b"<p>umbrella +ADw-script+AD4-", (READ,)),
    Hostile(
        "UTF-16 without a mark", "wide.txt", lambda: "umbrella".encode("utf-16-le"), (REFUSED,)
    ),
    Hostile(
        "bytes that are no text",
        "odd.txt",
        lambda: b"umbrella \xff\xfe\xed\xa0\x80 \xc0\xaf",
        (READ,),
    ),
    Hostile(
        "an unknown charset", "charset.html", lambda: b"<meta charset=rot13><p>umbrella", (READ,)
    ),
    Hostile(
        "a charset that is code",
        "code.html",
        lambda: b"<meta charset=zlib_codec><p>umbrella",
        (READ,),
    ),
]

# -- Not what they say -----------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    head = struct.pack(">2L5B", width, height, 8, 6, 0, 0, 0)
    chunk = struct.pack(">L4s", 13, b"IHDR") + head
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">L", zlib.crc32(chunk[4:]))


class Bomb:
    """What makes a file as soon as it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (self.path, "w")


def pickle_bomb(path: str = "/tmp/parley-pwned") -> bytes:
    return pickle.dumps(Bomb(path))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
DISGUISED = [
    Hostile("60,000 × 60,000 pixels", "huge.png", lambda: png(60_000, 60_000), (REFUSED,)),
    Hostile("60,000 × 60,000 pixels as text", "huge.txt", lambda: png(60_000, 60_000), (REFUSED,)),
    Hostile("a picture that is a page", "picture.svg", lambda: SVG, (REFUSED,)),
    Hostile("HTML named text", "page.txt", lambda: b"<!doctype html><p>a", (REFUSED,)),
    Hostile("HTML named PDF", "page.pdf", lambda: b"<!doctype html><p>a", (REFUSED,)),
    Hostile("PDF named text", "text.txt", pdf, (REFUSED,)),
    Hostile("PDF and HTML", "both.html", lambda: b"<!doctype html>" + pdf(), (REFUSED,)),
    Hostile("HTML and PDF", "both.pdf", lambda: b"<!doctype html><p>" + pdf(), (REFUSED,)),
    Hostile("PNG and ZIP", "both.docx", lambda: png(9, 9) + plain_docx(), (REFUSED,)),
    Hostile("ZIP and PDF", "zipped.pdf", lambda: plain_docx() + pdf(), (REFUSED,)),
    Hostile("PDF and ZIP", "zipped.docx", lambda: pdf() + plain_docx(), (REFUSED,)),
    Hostile("a program named text", "program.txt", lambda: b"\x7fELF" + bytes(100), (REFUSED,)),
    Hostile("a program named document", "run.docx", lambda: b"MZ\x90" + bytes(100), (REFUSED,)),
    Hostile("a pickle", "model.pkl", pickle_bomb, (REFUSED,)),
    Hostile("a pickle named text", "model.txt", pickle_bomb, (REFUSED,)),
    Hostile(
        "a pickle in an archive",
        "model.docx",
        lambda: docx_with([("a.pkl", pickle_bomb())]),
        (READ,),
    ),
    Hostile("nothing", "nothing.txt", lambda: b"", (REFUSED,)),
]

HOSTILE = ARCHIVES + PDFS + TEXTS + DISGUISED + FORMATS

# -- Names -----------------------------------------------------------------------------------------

NAMES = (
    "../../../etc/passwd.txt", "..\\..\\windows\\win.txt", "/etc/passwd.txt", "C:\\boot.txt",
    "a\0.txt", "a\n.txt", "-rf.txt", "--upload.txt", "$(id).txt", "`id`.txt", "; rm -rf ~.txt",
    "CON.txt", "nul.txt", "a.txt. . .", "a.txt::$DATA", "~/.ssh/id.txt", "%2e%2e%2fa.txt",
    "\u202etxt.exe.txt", "\u2066a\u2069.txt", "a\u200b\u200d.txt", "\ufeffa.txt",
    "\U000e0041\U000e0042.txt", "e\u0301" * 200 + ".txt", "a" * 4_096 + ".txt", "名" * 500 + ".txt",
    ".txt", "..", ".", "/", "\\", " ", "\ud800.txt", "a/b/c/.txt", "<img src=x onerror=x>.txt",
    "\"'><script>.txt", "{{7*7}}.txt", "=cmd|'/c calc'!A0.txt", "a\r\nX-Injected: 1.txt",
)  # fmt: skip
