"""How the lines of a PDF's page are set: their sizes, whether they are bold, the space above them.

pypdf tells it while it reads the words, so that no page is read twice.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import hypot, inf, isfinite
from typing import Any, NamedTuple

import pypdf

MOST_OF = 0.9  # of a line's letters say how it is set
LONGEST_NUMBER = 40  # of a section, with spaces around it
APART = 2.0  # widths of a letter m between two cells of a row
HEAVY = 600  # of the weights of fonts, 400 is the usual one
FORCE_BOLD = 1 << 18  # of a font's flags (ISO 32000-1, 9.8.2)
MOST_DRAWN = (
    1_000_000  # bytes, about a second: of what a page places, to be looked through for words
)

_BOLD = re.compile(
    r"bold|black|heavy|demi(?!c)|[-,]medi$|^(?:[A-Z]{6}\+)?(?:CMBX|CMSSBX|SFBX|ECBX)|simhei|heiti|fzhei",
    re.I,
)
_PLACES = re.compile(rb"/([^\s/()<>\[\]{}%]+)\s+Do\b")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ud7af\uf900-\ufaff\uff00-\uff60]")
_CAPITAL = re.compile(r"[A-Z0-9]")
_NUMBERING = re.compile(
    r"(?:[A-Z]\d*|[\dIVX]*)(?:\.\d+)*[.)]?$|第?[〇零一二三四五六七八九十百\d]+[章节節条條、.]?$"
)


class Piece(NamedTuple):
    """Words set in one go, and where they begin on their page."""

    text: str
    size: float
    is_bold: bool
    across: float
    height: float


class Line(NamedTuple):
    """`size` is what most of its letters reach; `above` the space to the line before, from baseline
    to baseline, endless at the top of a page or of a column; a row has words far apart."""

    text: str
    size: float
    is_bold: bool
    height: float
    above: float
    is_row: bool


class Faces:
    """Which fonts are bold. Fonts that cannot be understood are not."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, bool]] = {}  # the font too: its id is its own as long

    def is_bold(self, font: Any) -> bool:
        known = self._known.get(id(font))
        if known is None:
            known = self._known[id(font)] = (font, _is_bold(font))
        return known[1]


class SetPage:
    """Hears from pypdf how the words of a page are set."""

    def __init__(self, faces: Faces) -> None:
        self.lines: list[Line] = []
        self.letters: Counter[tuple[float, bool]] = Counter()  # by size and boldness
        self._faces = faces
        self._pieces: list[Piece] = []

    def hear(self, text: str, user: Any, matrix: Any, font: Any, size: float) -> None:
        if not text:
            return
        words, *more = text.split("\n")
        if words:
            self._pieces.append(self._piece(words, user, matrix, font, size))
        for words in more:
            self.end_line()
            if words:
                self._pieces.append(self._piece(words, user, matrix, font, size))

    def end_line(self) -> None:
        pieces, self._pieces = self._pieces, []
        text = " ".join("".join([piece.text for piece in pieces]).split())
        if not text:
            return
        first = next(piece for piece in pieces if not piece.text.isspace())
        above = self.lines[-1].height - first.height if self.lines else inf
        size, is_bold = self._count(first, pieces, len(text))
        is_row = len(pieces) > 1 and _is_row(pieces)
        above = above if above > 0 else inf
        self.lines.append(Line(text, size, is_bold, first.height, above, is_row))

    def _count(self, first: Piece, pieces: Sequence[Piece], length: int) -> tuple[float, bool]:
        """Its letters; what size most of them reach, and whether most of them are bold."""
        look = first.size, first.is_bold
        if all(piece[1:3] == look for piece in pieces):
            self.letters[look] += length
            return look
        counted: Counter[tuple[float, bool]] = Counter()
        for piece in pieces:
            counted[piece.size, piece.is_bold] += len(piece.text) - piece.text.count(" ")
        self.letters.update(counted)
        bold = sum(count for (_, is_bold), count in counted.items() if is_bold)
        return _reached(counted), bold >= MOST_OF * counted.total()

    def _piece(self, text: str, user: Any, matrix: Any, font: Any, size: float) -> Piece:
        """Whichever way the page is turned: across is along the words, height beyond them."""
        a = matrix[0] * user[0] + matrix[1] * user[2]
        b = matrix[0] * user[1] + matrix[1] * user[3]
        c = matrix[2] * user[0] + matrix[3] * user[2]
        d = matrix[2] * user[1] + matrix[3] * user[3]
        x = matrix[4] * user[0] + matrix[5] * user[2] + user[4]
        y = matrix[4] * user[1] + matrix[5] * user[3] + user[5]
        wide = hypot(a, b) or 1.0
        points, across, height = (
            abs(size) * hypot(c, d),
            (x * a + y * b) / wide,
            (y * a - x * b) / wide,
        )
        if not isfinite(points + across + height):
            points = across = height = 0.0
        is_bold = self._faces.is_bold(font) if font is not None else False
        return Piece(text, round(points * 2) / 2, is_bold, across, height)


def read_page(page: pypdf.PageObject, faces: Faces) -> tuple[str, SetPage]:
    """What it says, and how that is set; not of what is nearly all drawings, which takes long."""
    heard = SetPage(faces)
    if _drawn(page) > MOST_DRAWN:
        return page.extract_text(), heard
    text = page.extract_text(visitor_text=heard.hear)
    heard.end_line()
    return text, heard


def _drawn(page: pypdf.PageObject) -> int:
    """The bytes of the drawings it places, each as often as it does: pypdf passes over those
    without words unless it is to tell about them."""
    try:
        said = page.get_contents()
        return 0 if said is None else _placed(said.get_data(), page.get("/Resources"), {})
    except Exception:  # noqa: BLE001 - it places nothing; and a malformed one has words, too
        return 0


def _placed(said: bytes, resources: Any, known: dict[int, int]) -> int:
    """Of the forms that these operators place, and of those within."""
    forms = resources.get_object().get("/XObject") if resources is not None else None
    if forms is None:
        return 0
    total = 0
    for name, count in Counter(_PLACES.findall(said)).items():
        form = forms.get_object().get("/" + name.decode("latin-1"))
        form = form.get_object() if form is not None else None
        if form is None or form.get("/Subtype") != "/Form":
            continue
        if id(form) not in known:
            known[id(form)] = 0  # one that places itself is placed once
            inside = form.get_data()
            known[id(form)] = len(inside) + _placed(inside, form.get("/Resources"), known)
        total += count * known[id(form)]
    return total


def _reached(counted: Counter[tuple[float, bool]]) -> float:
    missing = MOST_OF * counted.total()
    reached = 0.0
    for size, is_bold in sorted(counted, reverse=True):
        missing -= counted[size, is_bold]
        reached = size
        if missing <= 0:
            break
    return reached


def _is_row(pieces: Sequence[Piece]) -> bool:
    """Whether its words stand apart like cells; not what follows the number of a section."""
    said, end = "", inf
    for piece in pieces:
        if not piece.text.strip():
            continue
        if piece.across - end > APART * piece.size and not _is_numbering(said):
            return True
        said += piece.text
        end = piece.across + _width(piece.text) * piece.size
    return False


def _is_numbering(said: str) -> bool:
    # More is none, and is not looked through for every cell of a long row.
    return len(said) <= LONGEST_NUMBER and _NUMBERING.match(said.strip()) is not None


def _width(text: str) -> float:
    """About how wide it is, in widths of a letter m."""
    wide, capital = len(_WIDE.findall(text)), len(_CAPITAL.findall(text))
    return wide + 0.7 * capital + 0.5 * (len(text) - wide - capital)


def _is_bold(font: Any) -> bool:
    try:
        if _BOLD.search(str(font.get("/BaseFont", ""))[1:]):
            return True
        inner = font.get("/DescendantFonts")
        held = inner.get_object()[0].get_object() if inner is not None else font
        about = held.get("/FontDescriptor")
        about = about.get_object() if about is not None else {}
        return (
            bool(int(about.get("/Flags", 0)) & FORCE_BOLD) or about.get("/FontWeight", 0) >= HEAVY
        )
    except Exception:  # noqa: BLE001 - a malformed font raises anything, and its words are there
        return False
