"""How many versions are kept, and files that no version needs any more."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from knowledge import storage
from knowledge.curation.cited import is_cited
from knowledge.models import Document, DocumentVersion


def prune(document: Document) -> None:
    """Remove the oldest versions beyond those that are kept (PARLEY_DOCUMENT_VERSIONS), in the
    caller's transaction. 0 keeps all; one that an answer quotes stays as long as the answer."""
    most = settings.PARLEY_DOCUMENT_VERSIONS
    kept = document.versions.exclude(state=DocumentVersion.State.WAITING).order_by("-number")
    if most:
        oldest = list(kept.values_list("pk", flat=True)[most:])
        quoted = is_cited("document_id", "number")
        remove_versions(document.versions.filter(pk__in=oldest).exclude(quoted))


def remove_versions(versions: Iterable[DocumentVersion]) -> None:
    """Remove these with their texts, and their files once no other version has the same bytes."""
    found = {version.pk: version.file_id for version in versions}
    if found:
        DocumentVersion.objects.filter(pk__in=list(found)).delete()
        transaction.on_commit(partial(retire_unused, set(found.values())))


def files_of(document_ids: Iterable[UUID]) -> list[UUID]:
    """Every stored file of these documents, of all their versions."""
    ids = list(document_ids)
    current = Document.objects.filter(pk__in=ids).values_list(Coalesce("file_id", "pk"), flat=True)
    others = DocumentVersion.objects.filter(document__in=ids).values_list("file_id", flat=True)
    return [*{*ids, *current, *others}]


def used_files(file_ids: Iterable[UUID]) -> set[UUID]:
    """Those that some version of some document is stored in."""
    ids = list(file_ids)
    own = Q(pk__in=ids, file_id=None) | Q(file_id__in=ids)
    current = Document.objects.filter(own).values_list(Coalesce("file_id", "pk"), flat=True)
    others = DocumentVersion.objects.filter(file_id__in=ids).values_list("file_id", flat=True)
    return {*current, *others}


def retire_unused(file_ids: Iterable[UUID]) -> None:
    ids = set(file_ids)
    for file_id in ids - used_files(ids):
        storage.retire(file_id)
