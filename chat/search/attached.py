"""Files that questions carry, found by their names and by what they say: the terms of their
passages are those of the knowledge search, in the same index."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left

from accounts.models import User
from chat.search.filters import Wanted
from knowledge.analyzer import analyze, is_cjk, split, term_id
from knowledge.models import Chunk, Collection, Document
from security.reading import reading_as

MOST = 200  # files looked through, the newest
READ = 4_000  # characters of a passage that are looked through for the words


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was found; `text` is the beginning of the passage that has the words, or
    nothing where its name has them."""

    document_id: UUID
    name: str
    text: str = ""


def find_attached(user: User, query: str, wanted: Wanted) -> dict[UUID, Attached]:
    """By conversation, the newest file of each that `user` may see; one query, or none."""
    if not wanted.in_attachments or not split(query):
        return {}
    saying = _saying(query)
    rows = _sent(user).filter(_named(query) | Exists(saying)).order_by("-pk")
    text = Subquery(saying.annotate(beginning=Left("text", READ)).values("beginning")[:1])
    told = rows.annotate(said=text)
    with reading_as(user):
        found = list(
            told.values_list("collection__conversation_id", "pk", "file_name", "said")[:MOST]
        )
    newest: dict[UUID, Attached] = {}
    for conversation, pk, name, said in found:
        assert conversation is not None  # of what was sent
        newest.setdefault(conversation, Attached(pk, name, said or ""))
    return newest


def _sent(user: User) -> "QuerySet[Document]":
    shelves = Collection.objects.shelves_of(user).exclude(conversation_id=None)
    return Document.objects.filter(collection__in=shelves)


def _named(query: str) -> Q:
    """All of the words stand in the name."""
    has = Q()
    for word in query.split():
        has &= Q(file_name__icontains=word)
    return has


def _saying(query: str) -> "QuerySet[Chunk]":
    """The first passage of the outer document that has all of the words."""
    terms = sorted({term_id(term) for term in _terms(query)})
    own = Chunk.objects.filter(document=OuterRef("pk"), terms__contains=terms)
    return own.order_by("position") if terms else own.none()


def _terms(query: str) -> list[str]:
    """Of Chinese words the pairs alone: single characters stand everywhere."""
    found = []
    for run in split(query):
        terms = analyze(run)
        pairs = [term for term in terms if len(term) > 1]
        found += pairs if is_cjk(run) and pairs else terms
    return found
