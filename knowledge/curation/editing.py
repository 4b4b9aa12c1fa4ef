"""Edits of passages by people; each is found by the very next search.

Every function takes passages by the ids of their rows, which change with every edit: who edits what
somebody else has edited since hears of it (`EditConflict`), and nothing is overwritten. They raise
`EditRefused` for what makes no sense and `BudgetExhausted`; the caller has checked the rights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _

from accounts.models import User
from knowledge.curation import applying, swapping
from knowledge.curation.applying import Applied, parse_item, take_back
from knowledge.curation.embedding import embed
from knowledge.curation.errors import EditConflict, EditRefused
from knowledge.curation.swapping import Found
from knowledge.curation.working_list import BETWEEN, CHANGED, Working, load
from knowledge.models import Document, DocumentText, PassageEdit
from knowledge.versions import find_active_version
from security import audit
from security.acts import Act
from security.ids import new_id
from security.text import storable

LONGEST = 20_000  # characters of one passage
EMPTY = _("Write what the passage should say.")
TOO_LONG = _("This passage is too long. Write at most 20,000 characters.")
SAME = _("This is what the passage says already.")
NO_PLACE = _("Split it between two words: both parts must say something.")
NO_NEXT = _("There is no passage behind this one to merge it with.")
EXCLUDED = _("This document is excluded from search. Include it again first.")
NO_TEXT = _("There is no text in this document that could be edited.")
UNDO_LATER_FIRST = _("Another edit builds on this one. Undo that first.")
_("This passage was changed meanwhile. Look at it again.")
_("The document is being indexed. Edit it when that has ended.")
_("The embedding model did not answer. Nothing was changed; try again.")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an edit will do; `text` is the stored text afterwards."""

    edit: PassageEdit
    applied: Applied
    text: str


Build = Callable[[Working], Plan]
Kind = PassageEdit.Kind


def correct(user: User, document: Document, passage_id: UUID, text: str) -> PassageEdit:
    """The passage says `text` from now on, in search and to models; the file stays as it is."""
    said = _clean(text)

    def build(working: Working) -> Plan:
        index = working.index_of(passage_id)
        if working.items[index].draft.text == said:
            raise EditRefused(SAME)
        return _plan(working, _edit(Kind.CORRECT, [working.target(index)], text=said))

    return _commit(user, document, build)


def split(user: User, document: Document, passage_id: UUID, at: int) -> PassageEdit:
    """Two passages of one: up to character `at` of its text, and from there."""

    def build(working: Working) -> Plan:
        index = working.index_of(passage_id)
        said = working.items[index].draft.text
        if not said[:at].strip() or not said[at:].strip() or at < 0:
            raise EditRefused(NO_PLACE)
        return _plan(working, _edit(Kind.SPLIT, [working.target(index)], at=at, makes=2))

    return _commit(user, document, build)


def merge(user: User, document: Document, passage_id: UUID, next_id: UUID) -> PassageEdit:
    """One passage of two that follow each other: with all that stands between them, or, where a
    curator wrote one of them, their two texts."""

    def build(working: Working) -> Plan:
        index = working.index_of(passage_id)
        if working.index_of(next_id) != index + 1:
            raise EditRefused(NO_NEXT)
        both = working.items[index : index + 2]
        is_own = any(item.is_own for item in both) or both[1].place[0] < both[0].place[1]
        text = BETWEEN.join(item.draft.text for item in both) if is_own else ""
        if both[1].place[1] - both[0].place[0] > LONGEST or len(text) > LONGEST:
            raise EditRefused(TOO_LONG)
        targets = [working.target(index), working.target(index + 1)]
        return _plan(working, _edit(Kind.MERGE, targets, text=text))

    return _commit(user, document, build)


def exclude(user: User, document: Document, passage_id: UUID) -> PassageEdit:
    """Nothing finds the passage any more; `undo` includes it again."""

    def build(working: Working) -> Plan:
        target = working.target(working.index_of(passage_id))
        return _plan(working, _edit(Kind.EXCLUDE, [target], makes=0))

    return _commit(user, document, build)


def add(user: User, document: Document, after_id: UUID | None, text: str) -> PassageEdit:
    """A passage of the curator's own words behind another one; without one it is the first."""
    said = _clean(text)

    def build(working: Working) -> Plan:
        targets = [] if after_id is None else [working.target(working.index_of(after_id))]
        return _plan(working, _edit(Kind.ADD, targets, text=said))

    return _commit(user, document, build)


def undo(user: User, edit: PassageEdit) -> PassageEdit:
    """As if the edit had not been made; one that could not be re-applied is put aside.

    `edit` is as it was just read. Twice is once. Raises `EditRefused` while a later edit builds on
    it.
    """
    document = Document.objects.get(pk=edit.document_id)

    def build(working: Working) -> Plan:
        found = PassageEdit.objects.select_for_update().get(pk=edit.pk)
        if found.state == PassageEdit.State.UNDONE:  # somebody else's click was faster
            raise EditConflict(CHANGED)
        place = (found.start, found.end)
        if found.state == PassageEdit.State.LOST:
            return Plan(found, Applied(working.items, [], [], place), working.text)
        replaced = [parse_item(data, working.text) for data in found.replaced]
        pieces = [UUID(piece) for piece in found.pieces]
        applied = take_back(pieces, replaced, working.items, place)
        if applied is None:
            raise EditRefused(UNDO_LATER_FIRST)
        return Plan(found, applied, working.text)

    if edit.state == PassageEdit.State.UNDONE:
        return edit
    return _commit(user, document, build, is_undo=True)


# -- How it is done --------------------------------------------------------------------------------


def _clean(text: str) -> str:
    said = storable(text.replace("\r\n", "\n")).strip()
    if not said:
        raise EditRefused(EMPTY)
    if len(said) > LONGEST:
        raise EditRefused(TOO_LONG)
    return said


def _edit(
    kind: Kind, targets: list[dict[str, object]], text: str = "", at: int | None = None,
    makes: int = 1,
) -> PassageEdit:  # fmt: skip
    pieces = [str(new_id()) for _piece in range(makes)]
    return PassageEdit(kind=kind, targets=targets, text=text, at=at, pieces=pieces)


def _plan(working: Working, edit: PassageEdit) -> Plan:
    if not working.text:
        raise EditRefused(NO_TEXT)
    text = working.text
    if edit.text:
        edit.text_start = len(text) + len(BETWEEN)
        text += BETWEEN + edit.text
    applied = applying.apply(edit, working.items, text, working.source_end)
    if applied is None:
        raise EditConflict(CHANGED)
    return Plan(edit, applied, text)


def _commit(user: User, document: Document, build: Build, *, is_undo: bool = False) -> PassageEdit:
    """Embed what is new while nothing is locked; then write, if everything is as it was."""
    if document.excluded_at:
        raise EditRefused(EXCLUDED)
    version = find_active_version()
    with transaction.atomic():
        planned = build(load(document))
    drafts = [item.draft for item in planned.applied.inserted]
    found = Found(embed(user, document, drafts, version), version)
    with transaction.atomic():
        with connection.cursor() as cursor:
            statistics = swapping.lock(cursor, document)
        working = load(document)
        plan = build(working)
        if plan.text != working.text:
            DocumentText.objects.filter(document=document).update(text=plan.text)
        swapping.swap(document, statistics, working, plan.applied, found)
        _record(user, document, plan, is_undo=is_undo)
    return plan.edit


def _record(user: User, document: Document, plan: Plan, *, is_undo: bool) -> None:
    edit = plan.edit
    if is_undo:
        PassageEdit.objects.filter(pk=edit.pk).update(
            state=PassageEdit.State.UNDONE, undone_by=user, undone_at=Now()
        )
        edit.state = PassageEdit.State.UNDONE
    else:
        edit.document, edit.made_by = document, user
        edit.start, edit.end = plan.applied.place
        edit.replaced = [item.as_json() for item in plan.applied.removed]
        edit.save(force_insert=True)
    act = Act.PASSAGE_RESTORED if is_undo else Act.PASSAGE_EDITED
    audit.record(act, document, by=user, edit=str(edit.pk), kind=str(edit.kind))
