"""Pages of a PDF that are pictures alone, read by `ocr` where that is there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pypdf
from PIL import Image

from knowledge.extraction import ocr

MOST_PIXELS = 50_000_000  # told before a picture is unpacked
LARGEST_SIDE = 3_600  # A4 at 300 dots an inch: more is slower and no better
SMALLEST_SIDE = 40
MOST_PICTURES = 12  # of a page: strips of one scan


@dataclass(slots=True)
class Seen:
    """What was read by which engine: text by the number of its page."""

    engine: str = ""
    pages: dict[int, str] = field(default_factory=dict)


def read_pages(pages: Mapping[int, pypdf.PageObject]) -> Seen:
    """Those that can be read, in the time and memory there is; none where `ocr` is off."""
    engine = ocr.open_engine() if pages else None
    if engine is None:
        return Seen()
    seen, clock = Seen(engine.name), ocr.Clock()
    with closing(engine):
        for number, page in pages.items():
            if clock.is_over:
                break
            try:
                found = "\n\n".join(_texts(page, engine.words_of))
            except Exception:  # noqa: BLE001, S112 - any decoder may raise anything: it stays unread
                continue
            if found.strip():
                seen.pages[number] = found
    return seen


def _texts(page: pypdf.PageObject, read: Callable[[Image.Image], str]) -> Iterator[str]:
    for place in page.images.keys()[:MOST_PICTURES]:
        if _pixels(page, place) > MOST_PIXELS:
            continue
        picture = page.images[place].image
        if picture is None or min(picture.size) < SMALLEST_SIDE:
            continue
        picture = picture.convert("L")
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
        if page.rotation % 360:
            picture = picture.rotate(-page.rotation, expand=True)
        yield read(picture).strip()


def _pixels(page: pypdf.PageObject, place: str | list[str]) -> int:
    """As its dictionary says; a picture that stands in the page's own commands is small."""
    held: Any = page
    for name in [place] if isinstance(place, str) else place:
        drawn = held["/Resources"]["/XObject"]
        if name not in drawn:
            return 0
        held = drawn[name]
    return int(held.get("/Width", 0)) * int(held.get("/Height", 0))
