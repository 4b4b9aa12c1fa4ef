"""Images are drawn anew: upright, small enough, without a byte of what else was in the file."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from knowledge.extraction.process import reading_process
from knowledge.extraction.reasons import DAMAGED, TOO_MANY_PIXELS, ExtractionFailed
from knowledge.types import Redrawn

SECRET = b"taken at 46.0511 N 14.5051 E"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0198"


def redraw(path: Path, content: bytes) -> Redrawn:
    path.write_bytes(content)
    return reading_process.redraw(path)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_photograph_is_turned_and_tells_nothing_about_its_place(path: Path) -> None:
    image = Image.new("RGB", (2000, 1000), "navy")
    image.paste("red", (0, 0, 200, 1000))  # its left edge
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees: what was left is on top
    exif[0x010E] = SECRET.decode()
    drawn = redraw(path, encoded(image, "JPEG", exif=exif, comment=SECRET) + SECRET)
    assert (drawn.large.width, drawn.large.height) == (768, 1536)
    assert (drawn.small.width, drawn.small.height) == (256, 512)
    for side in (drawn.large, drawn.small):
        assert side.media_type == "image/jpeg"
        assert SECRET not in side.data
        assert not opened(side.data).getexif()
        red, _green, blue = opened(side.data).convert("RGB").getpixel((side.width // 2, 4))
        assert (red > 200, blue < 60) == (True, True)


def test_what_is_drawn_stays_sharp_and_keeps_its_transparency(path: Path) -> None:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    image.putpixel((3, 4), (255, 0, 0, 255))
    info = PngInfo()
    info.add_text("Author", SECRET.decode())
    drawn = redraw(path, encoded(image, "PNG", pnginfo=info))
    assert drawn.large.media_type == "image/png"
    assert SECRET not in drawn.large.data
    assert opened(drawn.large.data).getpixel((3, 4)) == (255, 0, 0, 255)
    assert opened(drawn.large.data).getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_other_kinds_become_one_that_every_model_reads(path: Path, kind: str) -> None:
    drawn = redraw(path, encoded(Image.new("RGB", (8, 8), "green"), kind))
    assert drawn.large.media_type in {"image/png", "image/jpeg"}
    assert opened(drawn.large.data).size == (8, 8)


def test_an_image_that_unpacks_to_a_billion_pixels_is_refused_by_its_header(path: Path) -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk
    png += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 99) + b"IDAT" + bytes(99)
    with pytest.raises(ExtractionFailed, match=TOO_MANY_PIXELS):
        redraw(path, png)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"\xff\xd8\xff\xe0" + b"x" * 500,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",  # a format that Pillow hands to other programs
    ],
)
def test_what_is_no_image_says_so(path: Path, content: bytes) -> None:
    with pytest.raises(ExtractionFailed, match=DAMAGED):
        redraw(path, content)
