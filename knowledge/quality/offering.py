"""What the form of a golden question offers: passages that it finds now, names of documents."""

from collections.abc import Collection as Some
from dataclasses import dataclass

from accounts.models import User
from knowledge.models import Collection, Document, GoldenQuestion
from knowledge.quality.asking import Places, given_of
from knowledge.quality.judging import Wanted, meets
from knowledge.retrieval import search
from knowledge.types import Passage

FOUND = 6  # passages that a question is shown to find
MOST_TITLES = 500  # that are offered; others are typed


@dataclass(frozen=True, slots=True)
class Offered:
    """A passage to be ticked; one that is expected already is so, whatever is ticked."""

    passage: Passage
    is_expected: bool
    is_ticked: bool

    @property
    def value(self) -> str:
        return value_of(self.passage)


def value_of(passage: Passage) -> str:
    return f"{passage.document_id}:{passage.start}:{passage.end}"


def find_offered(
    user: User,
    collection: Collection,
    asked: str,
    edited: GoldenQuestion | None = None,
    ticked: Some[str] = (),
) -> list[Offered]:
    """Raises what search raises."""
    found = search(user, asked, [collection.pk], FOUND)
    wanted: list[Wanted] = Places([edited]).of(edited) if edited else []
    return [
        Offered(
            passage,
            is_expected=any(meets(wish, given_of(passage)) for wish in wanted),
            is_ticked=value_of(passage) in ticked,
        )
        for passage in found.passages
    ]


def titles_of(user: User, collection: Collection) -> list[str]:
    """Names of documents, for the fields that want one."""
    rows = Document.objects.visible_to(user).filter(collection=collection)
    return list(rows.order_by("title").values_list("title", flat=True).distinct()[:MOST_TITLES])
