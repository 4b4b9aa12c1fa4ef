"""Where a table names its columns, which a passage repeats that begins further down; its cells."""

from collections.abc import Iterator

from knowledge.types import GRID, NO_HEAD, SEPARATOR, Block, BlockKind

Span = tuple[int, int]


def head_of(text: str, block: Block) -> Span | None:
    """Where the row stands that names the columns of the block, if it is a table with one."""
    if block.kind != BlockKind.TABLE:
        return None
    for mark in block.marks:
        if mark.name == GRID:
            return _of_grid(text, block, mark.value)
    return _of_cells(block)


def grid_rows(text: str, block: Block, part: Span) -> Iterator[tuple[bool, list[Span]]]:
    """The cells of a grid's rows as far as they begin in `part`, each row with whether it names
    the columns; that row comes first wherever it stands."""
    head = head_of(text, block)
    if head is not None:
        yield True, _cells(text, head)
    at = max(block.start, text.rfind("\n", 0, max(part[0], block.start)) + 1)
    while at < min(block.end, part[1]):
        end = text.find("\n", at, block.end)
        end = block.end if end < 0 else end
        if (at, end) != head:
            yield False, _cells(text, (at, end))
        at = end + 1


def _cells(text: str, line: Span) -> list[Span]:
    cells: list[Span] = []
    at = line[0]
    for cell in text[slice(*line)].split(SEPARATOR):
        cells.append((at, at + len(cell)))
        at += len(cell) + len(SEPARATOR)
    return cells


def _of_grid(text: str, block: Block, value: str) -> Span | None:
    """Large tables are several blocks; all of them name the row in the first."""
    if value == NO_HEAD:
        return None
    if value:
        start, _, stop = value.partition("-")
        return int(start), int(stop)
    end = text.find("\n", block.start, block.end)
    return block.start, end if end >= 0 else block.end


def _of_cells(block: Block) -> Span | None:
    """The first row, where all of its cells are heads and there are rows below."""
    cells = [mark for mark in block.marks if mark.name == "cell"]
    row = cells[0].value.partition(":")[0] if cells else ""
    first = [mark for mark in cells if mark.value.partition(":")[0] == row]
    if not first or len(first) == len(cells) or not all(m.value.endswith(":h") for m in first):
        return None
    return first[0].start, first[-1].end
