"""The edits of a document once more, after it was read and split anew."""

from collections.abc import Sequence

from knowledge.curation import applying
from knowledge.curation.applying import source_item
from knowledge.curation.likeness import likeness_of
from knowledge.curation.working_list import BETWEEN
from knowledge.models import Document, PassageEdit
from knowledge.types import ChunkDraft


class Reapplied:
    """The passages with the edits in them, and the text with the curators' words behind it.

    `save` notes how each edit fared, in the transaction that loads the passages: one whose words
    are not there any more is `lost` until they are back.
    """

    def __init__(
        self,
        document: Document,
        text: str,
        drafts: Sequence[ChunkDraft],
        edits: Sequence[PassageEdit] = (),
    ) -> None:
        self.text, self._edits = text, edits
        # Of a document that is excluded from search the text alone is kept.
        self.drafts = [] if document.excluded_at else list(drafts)
        self.likeness = likeness_of(text)

    def save(self) -> None:
        if self._edits:
            fields = ["state", "replaced", "start", "end", "text_start"]
            PassageEdit.objects.bulk_update(self._edits, fields)


def reapply(document: Document, source: str, drafts: Sequence[ChunkDraft]) -> Reapplied:
    """Nothing is asked of the database for a document that was never indexed."""
    edits: list[PassageEdit] = []
    if document.version:
        edits = list(PassageEdit.objects.filter(document=document).order_by("pk"))
    text = with_own_words(source, edits)
    items = [source_item(draft) for draft in drafts]
    for edit in edits:
        if edit.state == PassageEdit.State.UNDONE:
            continue
        applied = applying.apply(edit, items, text, len(source))
        edit.state = PassageEdit.State.LOST if applied is None else PassageEdit.State.APPLIED
        if applied is not None:
            items = applied.items
            edit.start, edit.end = applied.place
            edit.replaced = [item.as_json() for item in applied.removed]
    return Reapplied(document, text, [item.draft for item in items], edits)


def with_own_words(source: str, edits: Sequence[PassageEdit]) -> str:
    """The text of every edit has its place there, also of those that are undone: citations of
    them can still be checked."""
    text = source
    for edit in edits:
        if edit.text:
            edit.text_start = len(text) + len(BETWEEN)
            text += BETWEEN + edit.text
    return text
