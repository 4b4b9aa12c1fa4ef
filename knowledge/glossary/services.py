"""Writes of glossaries. Entries that share a word are one thing said twice: the later counts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from knowledge.glossary import presence
from knowledge.glossary.errors import GlossaryRefused
from knowledge.models import Collection, GlossaryEntry
from knowledge.retrieval.understanding.glossary import LONGEST_TERM, key_of
from security.text import storable

MOST_ENTRIES = 5_000  # of a collection
MOST_TERMS = 12  # of an entry


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entries came in anew, took the place of others, or were there as they are; and the
    lines that are none, by number with the reason."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: tuple[tuple[int, str], ...] = ()


def clean_terms(terms: Iterable[str]) -> list[str]:
    """In their order, each once; raises GlossaryRefused for fewer than two, or what is no word."""
    tidied = (" ".join(storable(term).split()) for term in terms)
    found = list({key_of(term): term for term in tidied if term}.values())
    if len(found) < 2:
        raise GlossaryRefused(_("An entry needs at least two different words."))
    if len(found) > MOST_TERMS:
        raise GlossaryRefused(_("An entry has at most %d words.") % MOST_TERMS)
    for term in found:
        if len(term) > LONGEST_TERM or not key_of(term):
            raise GlossaryRefused(
                _("“%(term)s” is no word: use letters or digits, at most %(most)d characters.")
                % {"term": term[:LONGEST_TERM], "most": LONGEST_TERM}
            )
    return found


def put_entry(collection: Collection, terms: Iterable[str]) -> GlossaryEntry:
    """A new entry; those that share a word with it are gone. Raises GlossaryRefused."""
    with _opened(collection) as book:
        book.put(clean_terms(terms))
    return book.latest


def change_entry(entry: GlossaryEntry, terms: Iterable[str]) -> None:
    """Raises GlossaryRefused."""
    terms = clean_terms(terms)
    with _opened(entry.collection) as book:
        book.drop(book.sharing(map(key_of, terms)) - {entry.pk})
        entry.terms, entry.keys = terms, [key_of(term) for term in terms]
        entry.save()


def import_entries(collection: Collection, rows: Iterable[Sequence[str]]) -> Imported:
    """A row is an entry, its cells are the words. Raises GlossaryRefused where there is no room."""
    counts = {"added": 0, "changed": 0, "same": 0}
    refused: list[tuple[int, str]] = []
    with _opened(collection) as book:
        for n, row in enumerate(rows, 1):
            if not any(cell.strip() for cell in row):
                continue
            try:
                terms = clean_terms(row)
            except GlossaryRefused as error:
                refused.append((n, str(error)))
            else:
                counts[book.put(terms)] += 1
    return Imported(**counts, refused=tuple(refused))


class Book:
    """The entries of a collection while they are written; what is put is stored at the end."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._entries: dict[UUID, GlossaryEntry] = {
            entry.pk: entry for entry in collection.glossary.all()
        }
        self._by_key = {key: entry.pk for entry in self._entries.values() for key in entry.keys}
        self._new: dict[UUID, GlossaryEntry] = {}
        self._gone: set[UUID] = set()

    @property
    def latest(self) -> GlossaryEntry:
        return list(self._entries.values())[-1]

    def sharing(self, keys: Iterable[str]) -> set[UUID]:
        return {self._by_key[key] for key in keys if key in self._by_key}

    def put(self, terms: list[str]) -> str:
        """Says whether it is `added`, `changed`, or was there as the `same`."""
        keys = [key_of(term) for term in terms]
        others = self.sharing(keys)
        if any(self._entries[pk].terms == terms for pk in others):
            (pk,) = (pk for pk in others if self._entries[pk].terms == terms)
            self._entries[pk] = self._entries.pop(pk)  # the latest
            return "same"
        self.drop(others)
        if len(self._entries) >= MOST_ENTRIES:
            raise GlossaryRefused(_("A glossary has at most %d entries.") % MOST_ENTRIES)
        entry = GlossaryEntry(collection=self._collection, terms=terms, keys=keys)
        self._entries[entry.pk] = self._new[entry.pk] = entry
        self._by_key |= dict.fromkeys(keys, entry.pk)
        return "changed" if others else "added"

    def drop(self, entries: Iterable[UUID]) -> None:
        for pk in entries:
            for key in self._entries.pop(pk).keys:
                self._by_key.pop(key, None)
            if self._new.pop(pk, None) is None:
                self._gone.add(pk)

    def store(self) -> None:
        GlossaryEntry.objects.filter(pk__in=self._gone).delete()
        GlossaryEntry.objects.bulk_create(self._new.values())
        presence.forget()


@contextmanager
def _opened(collection: Collection) -> Iterator[Book]:
    """Who writes the same glossary at the same time waits."""
    with transaction.atomic():
        book = Book(Collection.objects.select_for_update().get(pk=collection.pk))
        yield book
        book.store()
