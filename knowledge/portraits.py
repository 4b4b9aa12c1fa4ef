"""A person's picture drawn small and square: read in the confined process, like every image."""

import io
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from accounts.errors import PictureRefused
from knowledge.extraction.process import redraw
from knowledge.extraction.reasons import ExtractionFailed

SIDE = 256
QUALITY = 88
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def paint(data: bytes) -> bytes:
    """A JPEG of the middle of it. Raises PictureRefused."""
    if not data.startswith(STARTS):
        raise PictureRefused(_("This is not a picture. Choose a PNG, JPEG, GIF or WebP file."))
    with NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            drawn = redraw(Path(file.name)).large
        except ExtractionFailed as failure:
            raise PictureRefused(_(str(failure))) from failure
    # From here on it is ours: pixels that our own process has written.
    with Image.open(io.BytesIO(drawn.data), formats=("PNG", "JPEG")) as image:
        whole = Image.new("RGB", image.size, "white")
        whole.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    target = io.BytesIO()
    ImageOps.fit(whole, (SIDE, SIDE), Image.Resampling.LANCZOS).save(
        target, "JPEG", quality=QUALITY
    )
    return target.getvalue()
