"""A version comes back: as the next one, of the same bytes and with the text that was kept."""

import re
from functools import partial

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_noop as _

from accounts.models import User
from knowledge.document_versions.putting import Outcome, Put, add_version
from knowledge.document_versions.switching import READ_ANEW
from knowledge.models import Document, DocumentVersion
from knowledge.queueing import queue_document, revive
from security import audit
from security.acts import Act

RESTORED = _("version %(number)s again")

_RESTORED = re.compile(r"version (\d+) again")


def note_in_words(note: str) -> str:
    """What is noted of a version, in the reader's language where the note is ours."""
    if found := _RESTORED.fullmatch(note):
        return translated(RESTORED) % {"number": found[1]}
    return translated(READ_ANEW) if note == READ_ANEW else note


def restore_version(user: User | None, document: Document, number: int) -> Put:
    """Let the document have the content of this version again; what is searched stays meanwhile.

    One that failed is tried again under its own number if it is the newest. Raises Http404 where
    there is no such version.
    """
    if number == document.version_number:
        return Put(document, Outcome.UNCHANGED)
    with transaction.atomic():
        row = document.versions.filter(number=number).first()
        if row is None:
            raise Http404
        if row.state == DocumentVersion.State.FAILED and _try_again(document, number):
            return Put(document, Outcome.CHANGED)
        put = add_version(document, row.sha256, partial(_copy, row, user))
        if put.outcome is Outcome.CHANGED:
            audit.record(Act.VERSION_RESTORED, document, version=number)
    return put


def _try_again(document: Document, number: int) -> bool:
    locked = Document.objects.select_for_update().get(pk=document.pk)
    newest = locked.versions.order_by("-number").values_list("number", flat=True).first()
    if newest != number or not revive(locked):
        return False
    queue_document(locked, is_forced=True)
    return True


def _copy(row: DocumentVersion, user: User | None) -> DocumentVersion:
    return DocumentVersion(
        file_id=row.file_id,
        file_name=row.file_name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        title=row.title,
        added_by=user,
        made_at=timezone.now(),
        note=RESTORED % {"number": row.number},
    )
