"""The icons of the installed app, drawn from the mark: `python -m tools.icons` writes static/img.

The figures are those of static/img/logo.svg, on its grid of 24.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parents[1] / "static" / "img"
GRID = 24
GROUND = "#0c6a5b"
CORNER = 7
STROKE = 2
LINES = (((12, 6.5), (12, 17.5)), ((16.76, 9.25), (7.24, 14.75)), ((7.24, 9.25), (16.76, 14.75)))
FINER = 8  # drawn so many times larger, then reduced: smooth edges
# A maskable icon may be cut to a circle: its mark stays in the inner 80 % (W3C App Manifest).
ICONS = {
    "icon-192.png": (192, 1.0, True),
    "icon-512.png": (512, 1.0, True),
    "icon-maskable-192.png": (192, 0.8, False),
    "icon-maskable-512.png": (512, 0.8, False),
    "apple-touch-icon.png": (180, 0.9, False),
}


def draw(size: int, scale: float, *, is_round: bool) -> Image.Image:
    """The mark in a square of `size`, with round corners on nothing or on a full ground."""
    unit = size * FINER / GRID
    image = Image.new("RGBA", (size * FINER, size * FINER), (0, 0, 0, 0) if is_round else GROUND)
    pen = ImageDraw.Draw(image)
    if is_round:
        pen.rounded_rectangle((0, 0, *image.size), CORNER * unit, fill=GROUND)
    half = STROKE * scale * unit / 2
    for line in LINES:
        ends = [tuple((GRID / 2 + (at - GRID / 2) * scale) * unit for at in end) for end in line]
        pen.line([*ends[0], *ends[1]], fill="white", width=round(half * 2))
        for x, y in ends:
            pen.ellipse((x - half, y - half, x + half, y + half), fill="white")
    return image.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for name, (size, scale, is_round) in ICONS.items():
        draw(size, scale, is_round=is_round).save(FOLDER / name, optimize=True)
