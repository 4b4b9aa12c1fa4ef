"""The values of indexing and retrieval. No Django here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

if TYPE_CHECKING:
    from gateway.labels import Demand
    from knowledge.retrieval.types import Candidate


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a stretch of the extracted text looks.

    `b`, `i`, `s`, `code`, `a` (`value`: its address), `picture` (the text says what it shows);
    `soft`, a line end that is none for readers; `figure`, a picture that stands there without any
    text (`value`: `FigureMark`); `item` of a list (`depth:marker`), `cell` of a
    table (`row` or `row:h`); `grid`, a table of lines whose cells stand between bars (`value`:
    where the row is that names its columns, empty for its first line); `scope`, what a part of a
    program belongs to, the outermost first; `quote`, of the whole block wherever it stands.
    """

    start: int
    end: int
    name: str
    value: str = ""


FIGURE = "figure"  # the name of the mark where a picture stands
GRID = "grid"
SCOPE = "scope"
NO_HEAD = "none"  # of a grid whose columns have no names
SEPARATOR = " | "  # between the cells of a row


@dataclass(frozen=True, slots=True)
class FigureMark:
    """What a mark says of a picture: which one, how large, and what it shows."""

    number: int
    width: int
    height: int
    alt: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.width}:{self.height}:{self.alt}"

    @classmethod
    def parse(cls, value: str) -> Self:
        number, width, height, alt = value.split(":", 3)
        return cls(int(number), int(width), int(height), alt)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the extracted text: a heading, or something to keep together.

    `line` is the one of the file in which it begins, where its line ends are those of the file.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None
    marks: tuple[Mark, ...] = ()
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file says: its text, and the blocks whose offsets point into it.

    `invisible` counts the characters that were removed because a reader could not see them.
    `figures` are the pictures that marks of the blocks name, the first one by 1;
    `pages_without_text` are pictures alone, and those `pages_by_ocr` are too, but were read by
    what `ocr` names.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    page_count: int | None = None
    language: str = ""
    invisible: int = 0
    figures: tuple["Drawn", ...] = ()
    pages_without_text: tuple[int, ...] = ()
    pages_by_ocr: tuple[int, ...] = ()
    ocr: str = ""  # program, its version and languages; empty: nothing tried to read them


@dataclass(frozen=True, slots=True)
class Drawn:
    """An image as it is sent out: encoded by us, of a type that every model and browser reads."""

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Redrawn:
    large: Drawn
    small: Drawn


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A passage to be: `text` is the extracted text from `start` to `end`.

    `head` repeats the rows that name the columns, where the passage begins inside a table.
    """

    text: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    page: int | None = None
    line: int | None = None
    head: str = ""
    piece_id: UUID | None = None  # of a curator's edit (`curation`)
    context: str = ""  # a model's words, by which it is found too (`enrichment`)


@dataclass(frozen=True, slots=True)
class Passage:
    """A found chunk with what explains its place: `ranks` has `lexical`, `dense` and `weight`."""

    chunk_id: UUID
    document_id: UUID
    collection_id: UUID
    title: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None
    score: float
    ranks: dict[str, Any] = field(default_factory=dict)
    line: int | None = None
    head: str = ""

    @property
    def lines(self) -> tuple[int, int] | None:
        """The first and the last line of the file that it is from, where these are known."""
        return (self.line, self.line + self.text.count("\n")) if self.line else None


@dataclass(frozen=True, slots=True)
class Around:
    """What stands `nearby` found passages, and short documents as a `whole`, by their ids."""

    nearby: tuple[Passage, ...] = ()
    whole: Mapping[UUID, Sequence[Passage]] = field(default_factory=dict)


NOTHING_AROUND = Around()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first; `alpha` is the weight of the dense leg; `trace` has every candidate;
    not `is_alike` where none of them resembles the question (`retrieval.thresholds`)."""

    query: str
    passages: tuple[Passage, ...]
    took_ms: float
    alpha: float = 0.0
    timings: dict[str, float] = field(default_factory=dict)
    demands: tuple["Demand", ...] = ()  # of the collections that the passages are from
    trace: tuple["Candidate", ...] = ()
    around: Around = NOTHING_AROUND
    is_alike: bool = True
    trouble: str = ""  # why nobody put them in a better order, where somebody was to
