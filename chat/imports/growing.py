"""A conversation that was imported and went on there goes on here too: only what is new is added.

Nothing that is here is changed or lost. What was said here meanwhile stays what is shown; the
messages from there stand beside it, as versions do.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from chat.answers.copying import NewMessage, store_messages
from chat.imports.tree import Grown, grow
from chat.imports.types import Foreign, Unreadable
from chat.models import Conversation, Import, ImportedConversation, Message


@dataclass(frozen=True, slots=True)
class _Growth:
    """`ids` tells the id here of each message there, `lost` what was only there before."""

    new: list[NewMessage]
    ids: dict[UUID, UUID]
    lost: set[UUID]
    known: set[UUID]
    leaf_id: UUID | None


def marks_of(grown: Grown, ids: dict[UUID, UUID] | None = None) -> dict[str, str]:
    """For `ImportedConversation.messages`."""
    return {_mark(key): str((ids or {}).get(pk, pk)) for pk, key in grown.keys.items()}


def has_grown(known: ImportedConversation, foreign: Foreign) -> bool:
    try:
        return bool(_compare(known, grow(foreign)).new)
    except Unreadable:
        return True  # The import says what is wrong with it.


def add_what_is_new(known: ImportedConversation, foreign: Foreign, into: Import) -> bool:
    """Whether anything was. Raises Unreadable."""
    grown = grow(foreign)
    with transaction.atomic():
        held = Conversation.objects.select_for_update().filter(pk=known.pk).first()
        origin = ImportedConversation.objects.filter(pk=known.pk).first()
        if held is None or origin is None:
            return False
        growth = _compare(origin, grown)
        if not growth.new:
            return False
        is_touched = _is_touched(held, origin, growth)
        store_messages(held.pk, growth.new)
        origin.messages = {**origin.messages, **marks_of(grown, growth.ids)}
        origin.grown_by = into.pk
        if not is_touched:
            origin.leaf_id = held.leaf_id = growth.leaf_id
        origin.save(update_fields=["messages", "grown_by", "leaf_id"])
        Conversation.objects.filter(pk=held.pk).update(
            leaf_id=held.leaf_id, indexed_at=None,
            updated_at=Greatest(F("updated_at"), Value(_last(foreign, held.updated_at))),
        )  # fmt: skip
        if not is_touched:
            # “The export has no answer to this question.”: now it has one.
            Message.objects.filter(pk__in=growth.lost, text="", children=None).delete()
    return True


def _compare(known: ImportedConversation, grown: Grown) -> _Growth:
    here = {mark: UUID(pk) for mark, pk in known.messages.items()}
    here = here or _recognised(known, grown)
    ids = {pk: here.get(_mark(key), pk) for pk, key in grown.keys.items()}
    new = [
        replace(message, parent_id=message.parent_id and ids[message.parent_id])
        for message in grown.messages
        if ids[message.id] == message.id
    ]
    before = set(here.values())
    leaf_id = ids[grown.leaf_id] if grown.leaf_id else None
    return _Growth(new, ids, before - set(ids.values()), before, leaf_id)


def _recognised(known: ImportedConversation, grown: Grown) -> dict[str, UUID]:
    """By place and words, for what was imported before marks were kept."""
    rows = Message.objects.filter(conversation=known.pk).order_by("pk")
    waiting: dict[tuple[UUID | None, str, str], list[UUID]] = defaultdict(list)
    for pk, parent, role, text in rows.values_list("pk", "parent_id", "role", "text"):
        waiting[parent, role, text].append(pk)
    ids: dict[UUID | None, UUID | None] = {None: None}
    for message in grown.messages:
        if message.parent_id in ids:
            same = waiting.get((ids[message.parent_id], message.role, message.text))
            if same:
                ids[message.id] = same.pop(0)
    return {_mark(key): here for pk, key in grown.keys.items() if (here := ids.get(pk))}


def _is_touched(held: Conversation, origin: ImportedConversation, growth: _Growth) -> bool:
    """Whether its owner went on here, or chose another version."""
    shown = origin.leaf_id or held.leaf_id
    theirs = Message.objects.filter(conversation=held.pk).exclude(pk__in=growth.known)
    return held.leaf_id != shown or theirs.exists()


def _last(foreign: Foreign, otherwise: datetime) -> datetime:
    said = [node.at for node in foreign.nodes if node.at]
    return foreign.updated_at or max(said, default=otherwise)


def _mark(key: str) -> str:
    """Short, and storable whatever the export calls its messages."""
    return sha256(key.encode(errors="surrogatepass")).hexdigest()[:24]
