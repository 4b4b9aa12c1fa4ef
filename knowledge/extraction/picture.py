"""An image written anew from its pixels: turned upright, no larger than needed, nothing hidden.

What a camera or an editor adds (place, time, previews, profiles, text) stays behind, and so does
whatever was appended to the file. Runs in the confined process like every other reader.
"""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from knowledge.extraction.reasons import DAMAGED, TOO_MANY_PIXELS, ExtractionFailed
from knowledge.types import Drawn

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MOST_PIXELS = 50_000_000  # told by the header, before anything is unpacked
LARGEST_SIDE = 1536  # what models that see make use of
SMALL_SIDE = 512
SMALLEST_SIDE = 8  # below that a picture is a spacer, or counts who looks
QUALITY = 88
HEAVY = 1_500_000  # bytes: a PNG of a photograph is kept as JPEG

Image.init()  # every decoder now: a confined child loads nothing


def read_picture(path: Path) -> dict[str, Any]:
    """The image and a small one, each with its size; the bytes in Base64.

    Raises `ExtractionFailed` with a reason.
    """
    try:
        with Image.open(path, formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ExtractionFailed(TOO_MANY_PIXELS)
            is_drawn = opened.format in {"PNG", "GIF"}
            large = _plain(opened)
    except Image.DecompressionBombError as error:
        raise ExtractionFailed(TOO_MANY_PIXELS) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ExtractionFailed(DAMAGED) from error
    small = large.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return {"large": _written(large, is_drawn=is_drawn), "small": _written(small, is_drawn=False)}


def draw(data: bytes, most_pixels: int) -> tuple[Drawn, int]:
    """One picture of a document, and how many pixels it had.

    Raises `ExtractionFailed` for what is none, or too small to be seen, or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            pixels = opened.width * opened.height
            if pixels > min(most_pixels, MOST_PIXELS) or min(opened.size) < SMALLEST_SIDE:
                raise ExtractionFailed(TOO_MANY_PIXELS)
            is_drawn = opened.format in {"PNG", "GIF"}
            large = _plain(opened)
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise ExtractionFailed(DAMAGED) from error
    written, media_type = _encoded(large, is_drawn=is_drawn)
    return Drawn(written, media_type, large.width, large.height), pixels


def _plain(image: Image.Image) -> Image.Image:
    """Its pixels and nothing else, upright, made smaller first: that is what memory goes into."""
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(image)
    bare = Image.new(mode, upright.size)
    bare.paste(upright)
    return bare


def _written(image: Image.Image, *, is_drawn: bool) -> dict[str, Any]:
    written, media_type = _encoded(image, is_drawn=is_drawn)
    return told(Drawn(written, media_type, image.width, image.height))


def _encoded(image: Image.Image, *, is_drawn: bool) -> tuple[bytes, str]:
    """PNG where edges or transparency matter, as long as that is not heavy; else JPEG."""
    if is_drawn or image.mode == "RGBA":
        written = _encode(image, "PNG", optimize=True)
        if len(written) <= HEAVY:
            return written, "image/png"
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    return _encode(image, "JPEG", quality=QUALITY), "image/jpeg"


def _encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def told(drawn: Drawn) -> dict[str, Any]:
    """As it leaves the process: JSON, the bytes in Base64."""
    return {
        "media_type": drawn.media_type,
        "width": drawn.width,
        "height": drawn.height,
        "data": base64.b64encode(drawn.data).decode(),
    }
