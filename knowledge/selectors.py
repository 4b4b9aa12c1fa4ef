"""Reads about collections and documents, shaped for the interfaces."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Length, Substr
from django.http import Http404

from accounts.models import User
from knowledge.counts import number_of_documents
from knowledge.models import Collection, Document, DocumentText, Figure
from knowledge.types import Drawn
from security.reading import second_lock


@dataclass(frozen=True, slots=True)
class PassageText:
    """A stretch of a document's extracted text with its surroundings."""

    document_id: UUID
    title: str
    before: str
    quote: str
    after: str
    start: int
    end: int
    length: int


def list_collections(user: User) -> QuerySet[Collection]:
    """Collections `user` may see, each with `role` (theirs) and `document_count`: of those that
    they may see."""
    visible: QuerySet[Collection] = Collection.objects.visible_to(user).annotate_role(user)
    return visible.annotate(document_count=number_of_documents(user))


@second_lock
def find_collection(user: User, collection_id: UUID) -> Collection:
    """The collection as `list_collections` has it; raises Http404."""
    found = list_collections(user).filter(pk=collection_id).first()
    if found is None:
        raise Http404
    return found


def list_documents(user: User, collection_id: UUID | None = None) -> QuerySet[Document]:
    """Documents `user` may see, stages loaded; of one collection if its id is given.

    Raises Http404 for a collection they may not see.
    """
    documents = Document.objects.collected_for(user).prefetch_related("stages")
    if collection_id is None:
        return documents
    if not Collection.objects.visible_to(user).filter(pk=collection_id).exists():
        raise Http404
    return documents.filter(collection=collection_id)


@second_lock
def find_document(user: User, document_id: UUID) -> Document:
    """The document, an attachment too, with its stages and collection; raises Http404."""
    rows: QuerySet[Document] = Document.objects.visible_to(user).filter(pk=document_id)
    rows = rows.prefetch_related("stages")
    found = rows.filter(is_apart=False).select_related("collection").first()
    if found is not None:
        return found
    found = rows.filter(is_apart=True).first()
    if found is None:
        raise Http404
    whole = Collection.objects.visible_to(user).filter(pk=found.collection_id).first()
    # Whoever does not read the collection knows this part of it alone; not to be saved.
    found.collection = whole or Collection.parts_apart.get(pk=found.pk)
    return found


def require_collections(user: User, ids: list[UUID] | None) -> list[UUID] | None:
    """The same ids, if `user` may see every one of them; raises Http404."""
    if ids is None:
        return None
    if Collection.objects.visible_to(user).filter(pk__in=ids).count() != len(set(ids)):
        raise Http404
    return ids


@second_lock
def find_figure(user: User, document_id: UUID, number: int, version: int | None = None) -> Drawn:
    """A picture inside a document that `user` may see, or inside a `version` of it that was
    replaced; raises Http404."""
    rows = Figure.objects.visible_to(user).filter(document=document_id, number=number)
    # None: of the version that is searched.
    found = rows.filter(version__number=version).first()
    if found is None:
        raise Http404
    return Drawn(bytes(found.data), found.media_type, found.width, found.height)


@second_lock
def find_passage_text(
    user: User, document_id: UUID, start: int, end: int, around: int
) -> PassageText:
    """The text from `start` to `end` with `around` characters on either side, clipped to the text.

    Only the window leaves the database. Raises Http404 where there is no such text.
    """
    if not 0 <= start < end:
        raise Http404
    low = max(0, start - around)
    row = (
        DocumentText.objects.filter(document__in=Document.objects.visible_to(user))
        .filter(document=document_id)
        .annotate(
            window=Substr("text", low + 1, end + around - low),
            length=Length("text"),
            title=F("document__title"),
        )
        .values_list("window", "length", "title")
        .first()
    )
    if row is None or end > row[1]:
        raise Http404
    window, length, title = row
    return PassageText(
        document_id=document_id,
        title=title,
        before=window[: start - low],
        quote=window[start - low : end - low],
        after=window[end - low :],
        start=start,
        end=end,
        length=length,
    )
