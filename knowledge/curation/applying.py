"""Edits on a list of passages. Pure: the same for one edit now and for all after indexing.

A passage of the list is an `Item`: what is searched (`draft`) and its place in the source text,
which for the words of a curator is the place of what they replaced or follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from knowledge.curation.anchors import Anchor, Span, find_anchor
from knowledge.types import ChunkDraft


class Edit(Protocol):
    """What is read of a `PassageEdit`."""

    kind: str
    targets: Any
    at: int | None
    text: str
    text_start: int | None
    pieces: Any


@dataclass(frozen=True, slots=True)
class Item:
    draft: ChunkDraft
    place: Span

    @property
    def is_own(self) -> bool:
        """Whether a curator wrote it: the source does not say these words."""
        return (self.draft.start, self.draft.end) != self.place

    def as_json(self) -> dict[str, Any]:
        draft = self.draft
        return {
            "start": draft.start, "end": draft.end, "page": draft.page, "place": list(self.place),
            "heading_path": list(draft.heading_path), "line": draft.line, "head": draft.head,
            "piece": str(draft.piece_id) if draft.piece_id else None, "context": draft.context,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Applied:
    """The list after an edit, what it took out and put in, and its place in the source text."""

    items: list[Item]
    removed: list[Item]
    inserted: list[Item]
    place: Span


def source_item(draft: ChunkDraft) -> Item:
    return Item(draft, (draft.start, draft.end))


def parse_item(data: dict[str, Any], text: str) -> Item:
    """An item as `as_json` wrote it; `text` is the stored text."""
    start, end = data["start"], data["end"]
    draft = ChunkDraft(
        text[start:end], tuple(data["heading_path"]), start, end, data["page"],
        line=data["line"], head=data["head"],
        piece_id=UUID(data["piece"]) if data["piece"] else None, context=data.get("context", ""),
    )  # fmt: skip
    return Item(draft, (data["place"][0], data["place"][1]))


def apply(edit: Edit, items: Sequence[Item], text: str, source_end: int) -> Applied | None:
    """The list with the edit in it; None where what it concerns is not there any more.

    `text` is the stored text: up to `source_end` the source's, then the words of curators.
    """
    if edit.kind == "add":
        return _add(edit, items, text, source_end)
    found = _take(edit, list(items), text[:source_end])
    if found is None:
        return None
    left, index, taken, place = found
    made = _make(edit, taken, text, place)
    if made is None:
        return None
    return Applied([*left[:index], *made, *left[index:]], taken, made, place)


def take_back(
    pieces: Sequence[UUID], replaced: Sequence[Item], items: Sequence[Item], place: Span
) -> Applied | None:
    """The list as it was before the edit that made `pieces`; None if one of them is gone since."""
    there = {item.draft.piece_id: n for n, item in enumerate(items) if item.draft.piece_id}
    if any(piece not in there for piece in pieces):
        return None
    taken = [items[there[piece]] for piece in pieces]
    left = [item for item in items if item.draft.piece_id not in set(pieces)]
    at = min((there[piece] for piece in pieces), default=_index_at(items, place))
    return Applied([*left[:at], *replaced, *left[at:]], taken, list(replaced), place)


def _add(edit: Edit, items: Sequence[Item], text: str, source_end: int) -> Applied | None:
    index, place, before = 0, (0, 0), None
    if edit.targets:
        found = _index_of(edit.targets[0], items, text[:source_end])
        if found is None:
            return None
        index, before = found + 1, items[found] if found >= 0 else None
        place = (before.place[1], before.place[1]) if before else place
    made = _own(edit, text, place, before.draft if before else None)
    return Applied([*items[:index], made, *items[index:]], [], [made], place)


def _index_of(target: dict[str, Any], items: Sequence[Item], source: str) -> int | None:
    """Which item the target is, or is in; None where it is lost."""
    if "piece" in target:
        piece = UUID(target["piece"])
        return next((n for n, item in enumerate(items) if item.draft.piece_id == piece), None)
    span = find_anchor(source, Anchor.parse(target))
    if span is None:
        return None
    return max((n for n, item in enumerate(items) if item.place[0] < span[1]), default=-1)


def _take(
    edit: Edit, items: list[Item], source: str
) -> tuple[list[Item], int, list[Item], Span] | None:
    """The list without what the edit concerns, where that was, what it was, and its place."""
    low = high = -1
    places: list[Span] = []
    for target in edit.targets:
        found = _find(target, items, source)
        if found is None:
            return None
        items, first, last, place = found
        low = first if low < 0 else min(low, first)
        high = max(high, last)
        places.append(place)
    taken = items[low:high]
    known = {target.get("piece") for target in edit.targets}
    if any(item.draft.piece_id and str(item.draft.piece_id) not in known for item in taken):
        return None  # another edit's work stands in between
    place = (min(start for start, _ in places), max(end for _, end in places))
    return [*items[:low], *items[high:]], low, taken, place


def _find(
    target: dict[str, Any], items: list[Item], source: str
) -> tuple[list[Item], int, int, Span] | None:
    if "piece" in target:
        at = _index_of(target, items, source)
        return None if at is None else (items, at, at + 1, items[at].place)
    span = find_anchor(source, Anchor.parse(target))
    return None if span is None else _carve(items, span, source)


def _carve(items: list[Item], span: Span, source: str) -> tuple[list[Item], int, int, Span] | None:
    """The list with a border at both ends of the span, and which of its items are inside."""
    start, end = span
    carved: list[Item] = []
    inside: list[int] = []
    for item in items:
        low, high = item.place
        if item.is_own or high <= start or low >= end:
            carved.append(item)
            continue
        if item.draft.piece_id and not (start <= low and high <= end):
            return None
        for part in ((low, start), (max(low, start), min(high, end)), (end, high)):
            cut = _cut(item, part, source)
            if cut is None:
                continue
            if start <= cut.place[0] and cut.place[1] <= end:
                inside.append(len(carved))
            carved.append(cut)
    if not inside:
        at = _index_at(carved, span)
        return carved, at, at, span
    return carved, inside[0], inside[-1] + 1, span


def _cut(item: Item, part: Span, source: str) -> Item | None:
    """The item from one place to another, white space at its ends left out; None for nothing."""
    start, end = max(part[0], item.place[0]), min(part[1], item.place[1])
    said = source[start:end] if start < end else ""
    if not said.strip():
        return None
    start, end = start + len(said) - len(said.lstrip()), end - len(said) + len(said.rstrip())
    if (start, end) == item.place:
        return item
    return Item(_part(item.draft, (start, end), source), (start, end))


def _index_at(items: Sequence[Item], place: Span) -> int:
    """Where in the list something with this place belongs."""
    return next((n for n, item in enumerate(items) if item.place[0] >= place[1]), len(items))


def _make(edit: Edit, taken: Sequence[Item], text: str, place: Span) -> list[Item] | None:
    """What the edit puts where `taken` was; None if that cannot be."""
    first = taken[0].draft if taken else None
    match edit.kind:
        case "exclude":
            return []
        case "split":
            return _split(edit, taken, text)
        case "merge" if not edit.text:
            low, high = place
            base = first or ChunkDraft("", (), low, high)
            piece = UUID(edit.pieces[0])
            draft = replace(base, text=text[low:high], start=low, end=high, piece_id=piece)
            return [Item(draft, place)]
        case _:
            return [_own(edit, text, place, first)]


def _split(edit: Edit, taken: Sequence[Item], text: str) -> list[Item] | None:
    if not taken or edit.at is None:
        return None
    whole = taken[0].draft
    low, high = whole.start, taken[-1].draft.end
    parts = [_trimmed(text, low, low + edit.at), _trimmed(text, low + edit.at, high)]
    if any(start >= end for start, end in parts):
        return None
    made = []
    for (start, end), piece in zip(parts, edit.pieces, strict=True):
        draft = replace(_part(whole, (start, end), text), piece_id=UUID(piece))
        made.append(Item(draft, taken[0].place if taken[0].is_own else (start, end)))
    return made


def _part(whole: ChunkDraft, span: Span, text: str) -> ChunkDraft:
    """What `whole` is from one place to another; in a program the line is counted on."""
    start, end = span
    line = whole.line and whole.line + text.count("\n", whole.start, start)
    return replace(whole, text=text[start:end], start=start, end=end, line=line)


def _own(edit: Edit, text: str, place: Span, like: ChunkDraft | None) -> Item:
    """A passage of the edit's own words, which the stored text has too."""
    assert edit.text_start is not None
    start, end = edit.text_start, edit.text_start + len(edit.text)
    path, page = (like.heading_path, like.page) if like else ((), None)
    piece = UUID(edit.pieces[0])
    return Item(ChunkDraft(text[start:end], path, start, end, page, piece_id=piece), place)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
