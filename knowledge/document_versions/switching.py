"""One version takes the place of another: in the transaction that replaces the passages."""

from django.db import connection
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from knowledge.document_versions.keeping import prune
from knowledge.errors import Superseded
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.kept import source_text
from knowledge.models import Document, DocumentText, DocumentVersion, Figure, Reading
from knowledge.types import Extracted

SAME_BYTES = _("Another document of this collection has the same content.")
READ_ANEW = _("read anew")
COPY_TEXT = """
insert into knowledge_versiontext (version_id, text, layout, kept, read_of, reader)
select %s, text, layout, kept, read_of, reader from knowledge_documenttext where document_id = %s
"""
TAKEN = ("file_id", "file_name", "media_type", "size", "sha256")


def next_number(document: Document) -> int:
    """Of the next version; the caller has locked the document."""
    highest = document.versions.aggregate(highest=Max("number"))["highest"] or 0
    return max(document.version_number, highest) + 1


def switch(document: Document, waiting: DocumentVersion | None, extracted: Extracted) -> None:
    """Let the version that waits be the document's content from now on, and keep what was.

    Without one the same bytes were indexed again: a reader that finds other words in them makes a
    version too, since what was quoted stays quoted. The caller holds the lock on the document and
    writes the text after this. Raises `Superseded` when another version came meanwhile, and
    `ExtractionFailed` when the collection has the same bytes in another document.
    """
    if waiting is not None:
        _take_over(document, waiting)
    elif document.version and _reads_differently(document, extracted):
        number = _retire(document)
        facts = {"version_number": number, "version_at": Now(), "version_note": READ_ANEW}
        Document.objects.filter(pk=document.pk).update(**facts)
    else:
        return
    Reading.objects.filter(document=document).delete()
    prune(document)


def _take_over(document: Document, waiting: DocumentVersion) -> None:
    found = DocumentVersion.objects.filter(pk=waiting.pk, state=DocumentVersion.State.WAITING)
    if not found.exists():
        raise Superseded(str(document.pk))
    same = Document.objects.filter(collection=document.collection_id, sha256=waiting.sha256)
    if same.exclude(pk=document.pk).exists():
        raise ExtractionFailed(SAME_BYTES)
    _retire(document)
    found.delete()
    facts = {name: getattr(waiting, name) for name in TAKEN}
    facts["file_id"] = waiting.file_id if waiting.file_id != document.pk else None
    facts |= {
        "version_number": waiting.number,
        "version_at": waiting.made_at,
        "version_note": waiting.note,
        "version_by": waiting.added_by,
    }
    Document.objects.filter(pk=document.pk).update(**facts)
    for name, value in facts.items():
        setattr(document, name, value)


def _retire(document: Document) -> int:
    """Keep what is searched until now as a version, with its text and its pictures; the number of
    the next one."""
    old = Document.objects.select_related("version_by", "added_by").get(pk=document.pk)
    number = next_number(old)
    states = DocumentVersion.State
    row = DocumentVersion.objects.create(
        document=document,
        number=old.version_number,
        state=states.PAST if old.version else states.FAILED,
        reason="" if old.version else old.reason,
        file_id=old.stored_id,
        file_name=old.file_name,
        media_type=old.media_type,
        size=old.size,
        sha256=old.sha256,
        title=old.title,
        page_count=old.page_count,
        language=old.language,
        source_id=old.source_id,
        added_by=old.version_by or old.added_by,
        note=old.version_note,
        made_at=old.version_at or old.created_at,
        ended_at=timezone.now(),
    )
    if old.version:
        with connection.cursor() as cursor:
            cursor.execute(COPY_TEXT, [row.pk, document.pk])
        Figure.objects.filter(document=document, version=None).update(version=row)
    return number


def _reads_differently(document: Document, extracted: Extracted) -> bool:
    rows = DocumentText.objects.filter(document=document).values_list("kept", "text")
    found = rows.first()
    if found is None:
        return False
    kept, text = found
    return source_text(bytes(kept) if kept is not None else None, text) != extracted.text
