"""Tools that read what the caller may see: search, a document's text, the collections."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from accounts.limits import spend_for
from accounts.models import User
from accounts.payers import payer_by_token
from agents.mcp.framing import framed
from agents.mcp.types import Arguments, Said, ToolRefused, Visit
from agents.openai.callers import in_thread
from knowledge import retrieval, selectors
from knowledge.document_access.selectors import with_homes
from knowledge.types import Passage, SearchResult
from knowledge.windows import NothingToRead, Window, read_window
from security.rate_limits import Action
from security.reading import reading_as
from security.text import storable

MOST_COLLECTIONS = 200
MOST_CHARACTERS = 50_000


class SearchArguments(Arguments):
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    collections: list[UUID] = Field(
        [], max_length=100, description="Ids of collections; empty: all that you may read."
    )
    limit: int = Field(8, ge=1, le=50, description="How many passages at most.")


class FoundPassage(BaseModel):
    n: int
    document_id: UUID
    chunk_id: UUID
    collection_id: UUID
    title: str
    heading_path: list[str]
    text: str
    start: int = Field(description="Where it begins in the document's text, in characters.")
    end: int
    page: int | None
    score: float
    url: str = Field(description="The passage in its document, for people.")


class SearchAnswer(BaseModel):
    passages: list[FoundPassage]
    took_ms: float


async def search(visit: Visit, asked: SearchArguments) -> Said:
    found = await in_thread(_search, visit, asked)
    passages = [_found(visit, n, one) for n, one in enumerate(found.passages, 1)]
    quotes = [(_label(one), one.text) for one in passages]
    feet = [
        f"[{one.n}] document {one.document_id}, characters {one.start}-{one.end}, "
        f"score {one.score:.3f}: {one.url}"
        for one in passages
    ]
    head = f"Passages that fit: {len(passages)}." if passages else "Nothing fits this query."
    return Said(
        framed(head, quotes, feet),
        SearchAnswer(passages=passages, took_ms=round(found.took_ms, 1)),
    )


def _search(visit: Visit, asked: SearchArguments) -> SearchResult:
    spend_for(visit.request, Action.SEARCHES)
    user = visit.call.user
    found = retrieval.search(
        user,
        storable(asked.query),
        collections=selectors.require_collections(user, asked.collections or None),
        limit=asked.limit,
        only_alike=True,
        payer=payer_by_token(visit.request, "embedding"),
    )
    return with_homes(user, found)


def _found(visit: Visit, n: int, passage: Passage) -> FoundPassage:
    return FoundPassage(
        n=n,
        document_id=passage.document_id,
        chunk_id=passage.chunk_id,
        collection_id=passage.collection_id,
        title=passage.title,
        heading_path=list(passage.heading_path),
        text=f"{passage.head}\n{passage.text}" if passage.head else passage.text,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        score=passage.score,
        url=visit.link(passage.document_id, passage.start, passage.end),
    )


def _label(passage: FoundPassage) -> str:
    place = " › ".join([passage.title, *passage.heading_path])
    return f"{place} (page {passage.page})" if passage.page else place


class ReadArguments(Arguments):
    document_id: UUID
    start: int = Field(0, ge=0, le=2**31 - 1, description="The first character to read.")
    length: int = Field(20_000, ge=1, le=MOST_CHARACTERS, description="How many characters.")


class DocumentAnswer(BaseModel):
    document_id: UUID
    title: str
    text: str
    start: int
    end: int
    characters: int = Field(description="Of the whole document.")
    next_start: int | None = Field(description="Where to read on; null at the end.")
    url: str


async def read_document(visit: Visit, asked: ReadArguments) -> Said:
    window = await in_thread(_read, visit.call.user, asked)
    head = f"Characters {window.start}-{window.end} of {window.length}."
    if window.next_start is not None:
        head += f" Read on with start={window.next_start}."
    answer = DocumentAnswer(
        document_id=window.document_id,
        title=window.title,
        text=window.text,
        start=window.start,
        end=window.end,
        characters=window.length,
        next_start=window.next_start,
        url=visit.link(window.document_id),
    )
    return Said(framed(head, [(answer.title, answer.text)], [answer.url]), answer)


def _read(user: User, asked: ReadArguments) -> Window:
    """Raises Http404, and ToolRefused where there is nothing to read."""
    try:
        return read_window(user, asked.document_id, asked.start, asked.length)
    except NothingToRead as error:
        raise ToolRefused(str(error)) from None


class ListArguments(Arguments):
    """Nothing to say."""


class ListedCollection(BaseModel):
    id: UUID
    name: str
    description: str
    documents: int
    role: str = Field(description="Yours: `owner`, `editor` or `reader`.")


class CollectionsAnswer(BaseModel):
    collections: list[ListedCollection]
    are_all: bool = Field(description="Whether there are no more than these.")


async def list_collections(visit: Visit, _asked: ListArguments) -> Said:
    found = await in_thread(_collections, visit.call.user)
    shown = found[:MOST_COLLECTIONS]
    quotes = [(one.name, one.description or "(no description)") for one in shown]
    feet = [f"[{n}] id {one.id}, documents: {one.documents}" for n, one in enumerate(shown, 1)]
    head = f"Collections that you may read: {len(shown)}."
    are_all = len(found) <= MOST_COLLECTIONS
    return Said(
        framed(head, quotes, feet if are_all else [*feet, "There are more."]),
        CollectionsAnswer(collections=shown, are_all=are_all),
    )


def _collections(user: User) -> list[ListedCollection]:
    with reading_as(user):
        return [
            ListedCollection(
                id=one.pk,
                name=one.name,
                description=one.description,
                documents=one.document_count,  # type: ignore[attr-defined]
                role=one.role,  # type: ignore[attr-defined]
            )
            for one in selectors.list_collections(user).order_by("-id")[: MOST_COLLECTIONS + 1]
        ]
