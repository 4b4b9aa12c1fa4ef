"""Reads of glossaries."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Func, QuerySet, TextField, Value

from accounts.models import User
from knowledge.models import Collection, GlossaryEntry
from knowledge.retrieval.understanding.glossary import key_of, keys_in
from security.reading import second_lock

MOST_ENTRIES = 20  # that apply to one question


@second_lock
def find_entries(
    user: User | AnonymousUser, text: str, collections: Sequence[UUID] | None
) -> list[list[str]]:
    """The words of entries that `text` names, in the collections `user` may see, or in these of
    them; one query."""
    keys = keys_in(text)
    if not keys:
        return []
    visible = Collection.objects.visible_to(user)
    if collections is not None:
        visible = visible.filter(pk__in=list(collections))
    found = GlossaryEntry.objects.filter(collection__in=visible, keys__overlap=keys)
    return list(found.order_by("pk").values_list("terms", flat=True)[:MOST_ENTRIES])


def list_entries(user: User, collection: Collection, words: str = "") -> "QuerySet[GlossaryEntry]":
    """Newest first; those with `words` in one of their own."""
    rows: QuerySet[GlossaryEntry] = GlossaryEntry.objects.visible_to(user).filter(
        collection=collection
    )
    if key := key_of(words):
        said = Func("keys", Value("\n"), function="array_to_string", output_field=TextField())
        rows = rows.annotate(said=said).filter(said__contains=key)
    return rows.order_by("-pk")
