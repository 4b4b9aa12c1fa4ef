"""Pictures inside documents: drawn anew, placed where they stand, and never fetched."""

import base64
import io
from pathlib import Path

from PIL import Image

from knowledge.extraction import figures
from knowledge.extraction.dispatch import read_file
from knowledge.extraction.process import reading_process
from knowledge.layout import ShownBlock, draw, pack, unpack
from knowledge.types import Extracted
from tests.knowledge import files


def data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def read_html(path: Path, source: str) -> Extracted:
    path.write_text(source)
    return read_file(path, "html")


def shown(found: Extracted) -> list[ShownBlock]:
    layout = pack(found)
    assert layout is not None
    return draw(found.text, unpack(layout), (0, len(found.text)))


def places(found: Extracted) -> list[tuple[list[int], str, list[int]]]:
    """Of each block the pictures before it, its first words and the pictures after it."""
    return [
        (
            [mark.number for mark in block.before],
            "".join(run.text for run in block.runs),
            [mark.number for mark in block.after],
        )
        for block in shown(found)
    ]


def test_docx_shows_its_pictures_where_they_stand(tmp_path: Path) -> None:
    path = files.make_illustrated_docx(tmp_path / "a.docx")
    found = reading_process.extract(path, "docx")  # through the confined process
    assert [(drawn.width, drawn.height) for drawn in found.figures] == [
        (40, 30),
        (60, 30),
        (50, 50),
    ]
    assert places(found) == [
        ([1], "Roof", [2]),
        ([], "Slate lasts long.", [1]),
        ([], "", [3]),  # the table
    ]
    assert shown(found)[0].after[0].alt == "The roof: from above"
    with Image.open(io.BytesIO(found.figures[1].data)) as drawn:
        assert drawn.format == "JPEG"


def test_html_shows_what_it_brings_along_and_fetches_nothing(tmp_path: Path) -> None:
    picture = data_uri(files.make_picture())
    other = data_uri(files.make_picture("WEBP", (64, 32)), "webp")
    found = read_html(
        tmp_path / "a.html",
        f"""<p>Before <img src="{picture}" alt="A  square"> and after.</p>
        <img src="https://example.org/a.png"><img src="//example.org/a.png"><img src="a.png">
        <img src="data:image/svg+xml;base64,PHN2Zy8+"><img src="data:image/png;base64,AAAA">
        <img src="data:text/html;base64,{picture.partition(",")[2]}"> <img parley-figure="9:1:1:x">
        <div style="display:none"><img src="{other}"></div><img hidden src="{other}">
        <ul><li>One <img src="{other}"></li></ul><p><img src="{other}"></p>""",
    )
    assert [(drawn.width, drawn.height) for drawn in found.figures] == [(40, 30), (64, 32)]
    first, second = shown(found)
    assert [(mark.number, mark.alt) for mark in first.after] == [(1, "A square")]
    assert [mark.number for mark in second.after] == [2, 2]
    assert "".join(run.text for run in first.runs) == "Before and after."


def test_pictures_have_limits(tmp_path: Path, monkeypatch) -> None:
    source = "<p>Words</p>" + "".join(
        f'<img src="{data_uri(files.make_picture(size=(10 + n, 10)))}">' for n in range(4)
    )
    path = tmp_path / "a.html"
    for name, value, kept in (
        ("MOST", 2, [10, 11]),
        ("ALL_PIXELS", 100 + 110, [10, 11]),
        ("HEAVIEST", 10, []),
        ("ALL_DRAWN", 10, []),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(figures, name, value)
            assert [drawn.width for drawn in read_html(path, source).figures] == kept


def test_what_lies_in_a_picture_besides_its_pixels_is_gone(tmp_path: Path) -> None:
    hostile = files.make_picture() + b"<script>alert(1)</script>"
    found = read_html(tmp_path / "a.html", f'<p>Words</p><img src="{data_uri(hostile)}">')
    (drawn,) = found.figures
    assert b"script" not in drawn.data
    assert drawn.data.startswith(b"\x89PNG")
