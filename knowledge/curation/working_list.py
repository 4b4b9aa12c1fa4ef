"""A document's passages as the list that edits are applied to."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from knowledge.curation.anchors import Span, anchor_of
from knowledge.curation.applying import Item
from knowledge.curation.errors import EditConflict
from knowledge.models import Chunk, Document, DocumentText, PassageEdit
from knowledge.types import ChunkDraft

BETWEEN = "\n\n"  # before each text of a curator in the stored text
CHANGED = "This passage was changed meanwhile. Look at it again."
FIELDS = ("pk", "heading_path", "start", "end", "page", "line", "head", "context", "piece_id")


@dataclass(frozen=True, slots=True)
class Working:
    """The passages in their order, with the ids of their rows, and the stored text.

    Up to `source_end` the text is the source's.
    """

    text: str
    source_end: int
    items: list[Item]
    ids: list[UUID]

    def index_of(self, passage_id: UUID) -> int:
        """Raises `EditConflict` where the passage is not there any more."""
        try:
            return self.ids.index(passage_id)
        except ValueError:
            raise EditConflict(CHANGED) from None

    def target(self, index: int) -> dict[str, object]:
        """How an edit finds this passage again: as a piece of an earlier one, or by its words."""
        item = self.items[index]
        if item.draft.piece_id:
            return {"piece": str(item.draft.piece_id)}
        return anchor_of(self.text[: self.source_end], item.place).as_json()


def load(document: Document) -> Working:
    """As the index has it now; asked under a lock, nothing can change until it ends."""
    texts = DocumentText.objects.filter(document=document)
    text = texts.values_list("text", flat=True).first() or ""
    edits = list(PassageEdit.objects.filter(document=document))
    source_end = end_of_source(edits, len(text))
    places = {UUID(piece): (edit.start, edit.end) for edit in edits for piece in edit.pieces}
    ids, items = [], []
    rows = Chunk.objects.filter(document=document).order_by("position").values_list(*FIELDS)
    for pk, path, start, end, page, line, head, context, piece in rows:
        draft = ChunkDraft(
            text[start:end], tuple(path), start, end, page, line=line, head=head, piece_id=piece,
            context=context,
        )  # fmt: skip
        place: Span = (start, end) if end <= source_end else places.get(piece, (start, end))
        ids.append(pk)
        items.append(Item(draft, place))
    return Working(text, source_end, items, ids)


def end_of_source(edits: Iterable[PassageEdit], length: int) -> int:
    """Where in a stored text of `length` the words of curators begin."""
    starts = [edit.text_start for edit in edits if edit.text_start is not None]
    return min(starts, default=length + len(BETWEEN)) - len(BETWEEN)
