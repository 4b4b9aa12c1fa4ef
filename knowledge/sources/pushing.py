"""Items that another program pushes: put and taken away by its own names, twice is once."""

from contextlib import suppress
from typing import Literal

from django.db import transaction
from django.utils.translation import gettext as _

from knowledge.models import Document, Source, SourceItem
from knowledge.sources import tombstones
from knowledge.sources.connector import LONGEST_ID, Found, key_of
from knowledge.sources.handing import hand_over
from knowledge.sources.services import SourceRefused
from knowledge.sources.taking import note
from knowledge.storage import Readable

Outcome = Literal["added", "changed", "unchanged"]


def put(
    source: Source,
    external_id: str,
    file: Readable,
    file_name: str,
    *,
    title: str = "",
    address: str = "",
    declared: str = "",
) -> tuple[Document, Outcome]:
    """Store the item's bytes as its document, or as the next version of it.

    What a person had deleted here comes back: the other program says that it is there. Raises
    SourceRefused, UploadRefused and StorageFull; the item is what it was then.
    """
    require_pushing(source)
    found = Found(external_id[:LONGEST_ID], file_name, title, address, media_type=declared)
    with transaction.atomic():
        Source.objects.select_for_update(no_key=True, of=("self",)).get(pk=source.pk)
        rows = SourceItem.objects.select_related("document")
        row = rows.filter(source=source, key=found.key).first()
        if row is None:
            row = SourceItem(source=source, key=found.key, external_id=found.external_id)
        deleted = row.document
        if deleted is not None and deleted.discarded_at is not None:
            row.document = None
        is_new = row.document is None
        document, is_changed = hand_over(source, row, found, file, deleted=deleted)
        note(row, found, document, None)
    return document, "added" if is_new else "changed" if is_changed else "unchanged"


def take_away(source: Source, external_id: str) -> None:
    """The item is gone; its document goes after the days of grace, at once where there are none."""
    require_pushing(source)
    with suppress(SourceItem.DoesNotExist):
        item = SourceItem.objects.get(source=source, key=key_of(external_id))
        with transaction.atomic():
            tombstones.mark([item.pk])
        tombstones.purge(source)


def require_pushing(source: Source) -> None:
    if source.kind != Source.Kind.API:
        raise SourceRefused(_("Items of this source are fetched, not pushed."))
    if source.is_paused:
        raise SourceRefused(_("This source is paused."))
