"""Whose a document is, seen from the side of people."""

from knowledge.models import Document, Source
from knowledge.queueing import upload_source


def claim(document: Document) -> None:
    """A person added what a source had brought: it is theirs, and no sync removes it now."""
    synced = Document.objects.filter(pk=document.pk).exclude(source__kind=Source.Kind.UPLOAD)
    if synced.exists():
        synced.update(source=upload_source(document.collection))
