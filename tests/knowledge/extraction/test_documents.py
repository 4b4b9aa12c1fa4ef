"""Slides, notebooks, data, reStructuredText, mail and books: what a reader of them sees."""

import email.message
import email.policy
import json
import mailbox
from pathlib import Path
from typing import Any

import nbformat
import pptx
import pytest
from pptx.util import Inches

from knowledge.extraction.reasons import DAMAGED, NESTED, NO_MAIL, ExtractionFailed
from tests.knowledge import files
from tests.knowledge.extraction.reading import passages, read, said
from tests.support.hostile_formats import epub


def test_slides_have_titles_lists_tables_pictures_and_notes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(files.make_picture())
    deck = pptx.Presentation()
    deck.core_properties.title = "Roofs"
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Slate"
    frame = slide.placeholders[1].text_frame
    frame.text = "Lasts long"
    frame.add_paragraph().text = "Costs more"
    frame.paragraphs[1].level = 1
    slide.notes_slide.notes_text_frame.text = "Show the sample."
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(1)).table
    for at, text in enumerate(["Kind", "Years", "Slate", "100"]):
        table.cell(at // 2, at % 2).text = text
    box = slide.shapes.add_group_shape().shapes.add_textbox(0, 0, Inches(1), Inches(1))
    box.text_frame.text = "屋顶"
    slide.shapes.add_picture(str(tmp_path / "a.png"), 0, 0)
    deck.save(tmp_path / "a.pptx")
    found = read(tmp_path / "a.pptx", "pptx")
    assert found.title == "Roofs"
    assert said(found) == [
        ("heading", "Slate"),
        ("list", "- Lasts long\n  - Costs more"),
        ("paragraph", "Show the sample."),
        ("heading", "2"),
        ("table", "Kind | Years\nSlate | 100"),
        ("paragraph", "屋顶"),
    ]
    assert [block.page for block in found.blocks] == [1, 1, 1, 2, 2, 2]
    assert len(found.figures) == 1


def test_a_notebook_has_its_cells_and_the_text_they_put_out(tmp_path: Path) -> None:
    new, output = nbformat.v4, nbformat.v4.new_output
    outputs = [
        output("stream", text="\x1b[31mloaded\x1b[0m 3 rows\n"),
        output("display_data", {"image/png": "aaaa", "text/plain": "<Figure>"}),
        output("error", ename="KeyError", evalue="'roof'", traceback=["long"]),
    ]
    cells = [
        new.new_markdown_cell("# Study of roofs\n\nWith **slate**."),
        new.new_code_cell("rows = load()\n\n\nprint(rows)", outputs=outputs),
        new.new_raw_cell("raw words"),
    ]
    nbformat.write(new.new_notebook(cells=cells), tmp_path / "a.ipynb")
    found = read(tmp_path / "a.ipynb", "ipynb")
    assert found.title == "Study of roofs"
    assert said(found) == [
        ("heading", "Study of roofs"),
        ("paragraph", "With slate."),
        ("code", "rows = load()\n\nprint(rows)"),
        ("code", "loaded 3 rows"),
        ("code", "<Figure>"),
        ("code", "KeyError: 'roof'"),
        ("paragraph", "raw words"),
    ]


@pytest.mark.parametrize(
    ("value", "blocks"),
    [
        ([{"a": 1, "b": "x"}, {"a": 2.50, "b": None}], [("table", "a | b\n1 | x\n2.5")]),
        (["x", True, None], [("code", "- x\n- true\n-")]),
        ({"name": "x", "on": False}, [("code", "name: x\non: false")]),
        (
            {"v": 1, "server": {"port": 80, "hosts": ["a", "b"], "tls": {"cert": "c"}}},
            [
                ("code", "v: 1"),
                ("heading", "server"),
                ("code", "port: 80\nhosts:\n  - a\n  - b"),
                ("heading", "tls"),
                ("code", "cert: c"),
            ],
        ),
        (
            [{"id": 1, "tags": ["a"]}, {"id": 2, "of": {"x": 1}}],
            [("code", "id: 1\ntags:\n  - a"), ("code", "id: 2\nof:\n  x: 1")],
        ),
    ],
)
def test_json_is_told_as_records_and_fields(
    tmp_path: Path, value: Any, blocks: list[tuple[str, str]]
) -> None:
    assert said(read(tmp_path / "a", "json", json.dumps(value))) == blocks
    if isinstance(value, list):
        lines = "\n\n".join(map(json.dumps, value))
        assert said(read(tmp_path / "a", "jsonl", lines)) == blocks


def test_a_record_is_found_under_the_names_it_stands_below(tmp_path: Path) -> None:
    value = {"paths": {"/users": {"get": {"summary": "List users"}}}}
    (draft,) = passages(read(tmp_path / "a", "json", json.dumps(value)))
    assert draft.heading_path == ("paths", "/users", "get")
    assert draft.text == "summary: List users"


def test_json_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ExtractionFailed, match=DAMAGED):
        read(tmp_path / "a", "json", '{"a": ')
    with pytest.raises(ExtractionFailed, match=NESTED):
        read(tmp_path / "a", "json", "[" * 200_000)


RST = """\
Roofs
=====

Of *slate*, ``tiles`` and `others <https://example.org/>`_; see :class:`~house.Roof`.

Care
----

.. note:: Mind the **gutter**.

.. method:: clean(when)

   In spring.

.. code-block:: python

   def clean():
       pass

- slate

  1. Welsh

===== =====
Kind  Years
===== =====
Slate 100
===== =====

.. include:: /etc/hostname
"""


def test_restructured_text_is_read_as_its_readers_do(tmp_path: Path) -> None:
    found = read(tmp_path / "a", "rst", RST)
    assert found.title == "Roofs"
    assert said(found) == [
        ("heading", "Roofs"),
        ("paragraph", "Of slate, tiles and others; see house.Roof."),
        ("heading", "Care"),
        ("paragraph", "Mind the gutter."),
        ("paragraph", "clean(when)"),
        ("paragraph", "In spring."),
        ("code", "def clean():\n    pass"),
        ("list", "- slate\n  1. Welsh"),
        ("table", "Kind | Years\nSlate | 100"),
    ]
    assert Path("/etc/hostname").read_text().strip() not in found.text
    assert [block.level for block in found.blocks if block.kind == "heading"] == [1, 2]


def message(subject: str = "Größe 年假", **headers: str) -> email.message.EmailMessage:
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["Subject"], made["From"], made["To"] = subject, "Ann <ann@x.org>", "bob@x.org"
    made["Date"] = "Mon, 05 Jan 2026 10:00:00 +0000"
    return made


def test_a_message_has_its_people_its_words_and_its_attachments(tmp_path: Path) -> None:
    made = message()
    made.set_content("Dear Bob,\n\nthe roof leaks.", charset="iso-8859-1")
    made.add_alternative("<p>Dear <b>Bob</b></p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="roof.pdf")
    found = read(tmp_path / "a", "eml", made.as_bytes())
    assert found.title == "Größe 年假"
    assert said(found) == [
        ("heading", "Größe 年假"),
        (
            "paragraph",
            "From: Ann <ann@x.org>\nTo: bob@x.org\nDate: Mon, 05 Jan 2026 10:00:00 +0000",
        ),
        ("paragraph", "Dear Bob,"),
        ("paragraph", "the roof leaks."),
        ("list", "- roof.pdf"),
    ]
    with pytest.raises(ExtractionFailed, match=NO_MAIL):
        read(tmp_path / "a", "eml", "no message at all")


def test_a_mailbox_has_its_messages_and_those_inside(tmp_path: Path) -> None:
    forwarded = message("Forwarded")
    forwarded.set_content("<h1>Hello</h1><p>of HTML<script>alert(1)</script>", subtype="html")
    inner = message("Inner")
    inner.set_content("Inner words")
    forwarded.add_attachment(inner)
    box = mailbox.mbox(tmp_path / "a.mbox")
    for each in (inner, forwarded):
        box.add(each)
    box.close()
    found = read(tmp_path / "a.mbox", "mbox")
    headings = [(b.level, found.text[b.start : b.end]) for b in found.blocks if b.level]
    assert headings == [(1, "Inner"), (1, "Forwarded"), (1, "Hello"), (2, "Inner")]
    assert ("paragraph", "of HTML") in said(found)
    assert "alert" not in found.text


def test_a_book_is_read_chapter_by_chapter(tmp_path: Path) -> None:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>On Roofs</dc:title></metadata>'
        '<manifest><item id="n" href="nav.xhtml" properties="nav" '
        'media-type="application/xhtml+xml"/><item id="b" href="t/b%20b.xhtml" '
        'media-type="application/xhtml+xml"/><item id="a" href="a.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="n"/>'
        '<itemref idref="b"/><itemref idref="a"/><itemref idref="gone"/></spine></package>'
    )
    head = '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
    second = f"{head}<head><title/></head><body><h1>Slate</h1><p>Old&nbsp;roofs.</p>"
    pages: dict[str, str | bytes] = {
        "b.opf": opf,
        "nav.xhtml": "<p>not a chapter",
        "t/b b.xhtml": f'{second}<img src="../i/p.png" alt="A roof"/></body></html>',
        "i/p.png": files.make_picture(),
    }
    book = epub(f"{head}<body><h1>Tiles</h1><p>Red.</p></body></html>", extra=pages)
    found = read(tmp_path / "a", "epub", book)
    assert found.title == "On Roofs"
    assert said(found) == [
        ("heading", "Slate"),
        ("paragraph", "Old roofs."),
        ("heading", "Tiles"),
        ("paragraph", "Red."),
    ]
    assert len(found.figures) == 1
