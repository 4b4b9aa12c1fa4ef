"""What a curator sees of a document's passages: their size, how often they are cited, who changed
them, and the edits behind that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.db.models.functions import Length
from django.http import Http404

from accounts.models import User
from gateway.embedding.local import count_pieces
from gateway.sentences import split_sentences
from knowledge.chunking import index_text
from knowledge.curation.cited import count_citations
from knowledge.curation.working_list import end_of_source
from knowledge.models import Chunk, Document, DocumentText, PassageEdit
from security.reading import second_lock

READ_WHOLE = 254  # word pieces of a text that the embedded model reads; what is behind is not


@dataclass(frozen=True, slots=True)
class Curated:
    """A passage; `edit` is the one that made it what it is."""

    chunk: Chunk
    tokens: int
    is_long: bool  # its end is found by its words alone
    edit: PassageEdit | None = None
    cited: int = 0
    next_id: UUID | None = None

    @property
    def key(self) -> str:
        return str(self.chunk.pk)

    @property
    def cuts(self) -> list[tuple[str, int]]:
        """Its sentences, each with the offset behind it: where it can be split."""
        text = self.chunk.text
        starts = [low for low, high in split_sentences(text) if text[low:high].strip()]
        borders = [0, *starts[1:], len(text)]
        return [(text[low:high], high) for low, high in pairwise(borders)]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A passage that nothing finds, because of `edit`; what it said."""

    edit: PassageEdit
    text: str


@dataclass(frozen=True, slots=True)
class Curation:
    """A window of the passages in their order, excluded ones between them."""

    document: Document
    rows: list[Curated | Excluded]
    lost: list[PassageEdit] = field(default_factory=list)
    earlier: int | None = None
    later: int | None = None


@second_lock
def find_curated(user: User, document_id: UUID) -> Document:
    """The document, for those who may edit it; raises Http404."""
    editable = Document.objects.editable_by(user).select_related("collection")
    found: Document | None = editable.filter(pk=document_id).first()
    if found is None:
        raise Http404
    return found


def read_window(user: User, document: Document, first: int, size: int) -> Curation:
    """`size` passages from position `first` on. `user` may edit the document."""
    chunks, edits, length, text = _read(user, document, first, size)
    prefetch_related_objects(edits, "made_by")  # people are not among what readers read
    has_more = len(chunks) > size
    excluded = [
        Excluded(edit, _said(edit, text))
        for edit in edits
        if edit.kind == "exclude" and edit.state == "applied"
    ]
    shown = describe(document, chunks, edits)[:size]
    rows = _between(
        shown, excluded, _places(edits, length), is_first=not first, is_last=not has_more
    )
    return Curation(
        document, rows, [edit for edit in edits if edit.state == "lost"],
        earlier=max(0, first - size) if first else None,
        later=first + size if has_more else None,
    )  # fmt: skip


def describe(
    document: Document, chunks: Sequence[Chunk], edits: Sequence[PassageEdit]
) -> list[Curated]:
    """Counted beyond the reader's own rights: of conversations nothing but a number leaves."""
    by_piece = {UUID(piece): edit for edit in edits for piece in edit.pieces}
    counts = count_citations(document.pk, [(chunk.start, chunk.end) for chunk in chunks])
    rows = []
    following = [*(chunk.pk for chunk in chunks[1:]), None]
    for chunk, cited, next_id in zip(chunks, counts, following, strict=True):
        whole = count_pieces(index_text(document.title, chunk.heading_path, chunk.text, chunk.head))
        edit = by_piece.get(chunk.piece_id) if chunk.piece_id else None
        tokens = count_pieces(chunk.text)
        rows.append(Curated(chunk, tokens, whole > READ_WHOLE, edit, cited, next_id))
    return rows


@second_lock
def _read(
    user: User, document: Document, first: int, size: int
) -> tuple[list[Chunk], list[PassageEdit], int, str]:
    """The text itself only where something is excluded, whose words are nowhere else."""
    rows = Chunk.objects.editable_by(user).filter(document=document, position__gte=first)
    chunks = list(rows.order_by("position").defer("terms", "bm25")[: size + 1])
    edits = list(PassageEdit.objects.editable_by(user).filter(document=document).order_by("pk"))
    texts = DocumentText.objects.filter(document__in=Document.objects.editable_by(user))
    stored = texts.filter(document=document).annotate(length=Length("text"))
    length = stored.values_list("length", flat=True).first() or 0
    needs_text = any(edit.kind == "exclude" and edit.state == "applied" for edit in edits)
    text = stored.values_list("text", flat=True).first() if needs_text else ""
    return chunks, edits, length, text or ""


def _places(edits: Sequence[PassageEdit], length: int) -> Callable[[Curated], int]:
    """Where a passage belongs in the source text."""
    source_end = end_of_source(edits, length)
    of_piece = {UUID(piece): edit.start for edit in edits for piece in edit.pieces}

    def place(row: Curated) -> int:
        chunk = row.chunk
        if chunk.piece_id is None or chunk.end <= source_end:
            return chunk.start
        return of_piece.get(chunk.piece_id, 0)

    return place


def _between(
    shown: Sequence[Curated],
    excluded: Sequence[Excluded],
    place: Callable[[Curated], int],
    *,
    is_first: bool,
    is_last: bool,
) -> list[Curated | Excluded]:
    """The passages with those that are excluded in their places."""
    waiting = sorted(excluded, key=lambda one: one.edit.start)
    rows: list[Curated | Excluded] = []
    for n, row in enumerate(shown):
        here = [one for one in waiting if one.edit.start <= place(row)]
        if n or is_first:
            rows += here
        waiting = waiting[len(here) :]
        rows.append(row)
    return [*rows, *waiting] if is_last else rows


def _said(edit: PassageEdit, text: str) -> str:
    return " … ".join(text[item["start"] : item["end"]] for item in edit.replaced)
