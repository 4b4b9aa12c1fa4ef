"""One number for what a person may read: of rights, of versions, and of what was just found."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Grant, User
from accounts.services import share, unshare
from events import jobs
from knowledge import counts, services
from knowledge.document_access import services as access
from knowledge.models import (
    Chunk,
    Collection,
    ContentSum,
    Document,
    DocumentCount,
    PassageEdit,
    Source,
)
from knowledge.models.collections import spaces_of
from knowledge.selectors import list_collections
from knowledge.state import fold, knowledge_state
from security.ids import new_id
from security.reading import reading_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    guides = services.create_collection(alice, "Guides")
    text = b"# Lighthouse\n\nThe lamp turns once every twelve seconds.\n"
    document, _ = services.add_document(alice, guides, io.BytesIO(text), "guide.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def test_it_is_one_query(alice, guide, django_assert_num_queries):
    knowledge_state(alice)
    with django_assert_num_queries(1):
        knowledge_state(alice, [guide.collection_id], documents={guide.pk})


def test_it_is_the_same_for_the_same_rights_and_changes_with_each(alice, bob, charlie, guide):
    nothing = knowledge_state(bob)
    assert knowledge_state(charlie) == nothing == "0:0"
    share(guide.collection, bob, Grant.Role.READER, by=alice)
    seen = knowledge_state(alice)
    assert knowledge_state(bob) == seen != nothing
    assert knowledge_state(bob, [guide.collection_id]) == seen
    assert knowledge_state(bob, [new_id()]) == knowledge_state(bob, []) == nothing
    states = {seen}
    for change in ({"version": 9}, {"sha256": "f" * 64}, {"status": Document.Status.FAILED}):
        Document.objects.filter(pk=guide.pk).update(**change)
        states.add(knowledge_state(alice))
    assert len(states) == 4
    assert knowledge_state(User(is_active=False)) == "0:0"


def test_what_was_found_under_other_rights_or_in_another_version_has_no_state(alice, bob, guide):
    """Else an answer from what somebody has lost could be kept for those who never had it."""
    (chunk,) = Chunk.objects.filter(document=guide).values_list("pk", flat=True)
    found = {"documents": {guide.pk}, "chunks": {chunk}}
    share(guide.collection, bob, Grant.Role.READER, by=alice)
    assert knowledge_state(bob, **found) == knowledge_state(bob)
    unshare(guide.collection, bob, by=alice)
    assert knowledge_state(bob, **found) is None
    assert knowledge_state(alice, **found) is not None
    Chunk.objects.filter(pk=chunk).delete()
    assert knowledge_state(alice, **found) is None
    assert Collection.objects.count() == 1


# The same, from each document that somebody may read: what the kept sums have to be equal to.
FROM_ALL_DOCUMENTS = """
select count(*), coalesce(sum(uuid_hash_extended(
           id, uuid_hash_extended(space, hashtextextended(sha256, version)))), 0)
from (select *, case when is_apart then id else collection_id end as space
      from knowledge_document) as document
where status = 'ready' and space = any(%s)
"""
STEPS = (
    "add", "add many", "index", "fail", "version", "bytes", "move", "delete", "delete many",
    "share", "unshare", "team", "no team", "fold", "delete collection", "passages",
    "keep apart", "open", "put back", "name", "name nobody",
)  # fmt: skip
played = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 2)), min_size=8, max_size=20
)


def oracle(user: User) -> str:
    spaces = spaces_of(user)
    mine = [pk for space in spaces for pk in space.values_list("pk", flat=True)]
    with connection.cursor() as cursor:
        cursor.execute(FROM_ALL_DOCUMENTS, [mine])
        return "{}:{}".format(*cursor.fetchone())


Counted = dict[tuple[Any, str], tuple[int, int, int]]


def counted(user: User | None = None) -> Counted:
    """As it is kept: of each collection and state documents; passages and bytes of a collection."""
    shelves = Collection.objects.visible_to(user) if user else Collection.objects.all()
    kept = counts.count_documents(list(shelves.values_list("pk", flat=True)), user)
    return {
        (pk, status): (number, found.passages, found.bytes)
        for pk, found in kept.items()
        for status, number in found.by_status.items()
        if number
    }


def recounted(user: User | None = None) -> Counted:
    """The same from each document."""
    documents = Document.objects.all()
    if user is not None:
        shelves = Collection.objects.visible_to(user).values("pk")
        documents = Document.objects.collected_for(user).filter(collection__in=shelves)
    shelves = defaultdict(list)
    for document in documents:
        shelves[document.collection_id].append(document)
    return {
        (pk, status): (
            number,
            sum(document.chunk_count for document in found),
            sum(document.size for document in found),
        )
        for pk, found in shelves.items()
        for status, number in Counter(document.status for document in found).items()
    }


def listed(user: User) -> Counter[Any]:
    return Counter({found.pk: found.document_count for found in list_collections(user)})


class World:
    """Three collections of alice with documents, of which others may read this and that."""

    def __init__(self, alice: User, bob: User, team) -> None:
        self.alice, self.bob, self.team = alice, bob, team
        Collection.objects.all().delete()
        self.shelves = [self._collection(n) for n in range(3)]
        self.count = 0

    def _collection(self, n: int) -> Collection:
        made = Collection.objects.create(owner=self.alice, name=f"{n}")
        Source.objects.create(collection=made, name="Uploads")
        return made

    def _document(self, shelf: Collection, status: str = "ready") -> Document:
        self.count += 1
        return Document(
            collection=shelf, source=shelf.sources.first(), title="t", file_name="t", size=1,
            media_type="text/plain", sha256=f"{self.count:064}", status=status,
        )  # fmt: skip

    def play(self, step: str, which: int, n: int) -> None:
        shelf, documents = self.shelves[n], Document.objects.order_by("pk")
        one = documents[which : which + 1]
        rows = Document.objects.filter(pk__in=[document.pk for document in one])
        match step:
            case "add":
                self._document(shelf, "queued").save()
            case "add many":
                Document.objects.bulk_create(
                    self._document(self.shelves[(n + m) % 3], "failed" if m == which else "ready")
                    for m in range(which)
                )
            case "index" | "fail":
                rows.update(status="ready" if step == "index" else "failed")
            case "version" | "bytes":
                self.count += 1
                new = {"version": self.count} if step == "version" else {"sha256": f"{self.count}"}
                rows.update(**new)
            case "move":
                rows.update(collection=shelf)
                self._parts(one).update(part_of=shelf)
            case "delete":
                parts = self._parts(one)
                rows.delete()
                parts.delete()  # after it: with a part go the sums that are kept of it
            case "delete many":
                here = Document.objects.filter(collection=shelf)
                parts = self._parts(here)
                here.delete()
                parts.delete()
            case "fold":
                for _ in range(9):
                    Document.objects.filter(pk=self._kept(shelf)).delete()
                fold()
                counts.fold()
            case "passages":
                rows.update(chunk_count=self.count, size=self.count * 7)
            case "delete collection":
                shelf.delete()
                self.shelves[n] = self._collection(n)
            case _:
                self._play_right(step, shelf)
                self._play_apart(step, one)

    def _play_right(self, step: str, shelf: Collection) -> None:
        match step:
            case "share":
                share(shelf, self.bob, Grant.Role.READER, by=self.alice)
            case "unshare":
                Grant.objects.filter(object_id=shelf.pk, user=self.bob).delete()
            case "team":
                share(shelf, self.team, Grant.Role.READER, by=self.alice)
            case "no team":
                Grant.objects.filter(object_id=shelf.pk, team=self.team).delete()

    def _play_apart(self, step: str, documents: Iterable[Document]) -> None:
        for document in documents:
            match step:
                case "keep apart" | "open":
                    is_restricted = step == "keep apart"
                    access.restrict(self.alice, document.pk, is_restricted=is_restricted)
                case "put back":  # nothing does so yet
                    Document.objects.filter(pk=document.pk).update(is_apart=False)
                    self._parts([document]).delete()
                case "name":
                    access.share(self.alice, document.pk, self.bob)
                case "name nobody":
                    Grant.objects.filter(object_id=document.pk).delete()

    def _parts(self, documents: Iterable[Document]) -> Any:
        return Collection.parts_apart.filter(pk__in=[document.pk for document in documents])

    def _kept(self, shelf: Collection):
        document = self._document(shelf)
        document.save()
        return document.pk


def some(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@some(3)
@given(steps=played)
def test_the_kept_sums_are_those_of_all_documents_after_any_steps(steps, alice, bob, charlie, team):
    check_sums(steps, alice, bob, charlie, team)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@some(100)
@given(steps=played)
def test_the_kept_sums_after_many_steps(steps, alice, bob, charlie, team):
    check_sums(steps, alice, bob, charlie, team)


def check_sums(steps, alice: User, bob: User, charlie: User, team) -> None:
    world = World(alice, bob, team)
    for step in steps:
        world.play(*step)
        for person in (alice, bob, charlie):
            assert knowledge_state(person) == oracle(person), step
            check_counts(person, step)
        assert counted() == recounted(), step
    Collection.objects.all().delete()
    assert not ContentSum.objects.exists()
    assert not DocumentCount.objects.exists()


def check_counts(person: User, step: Any) -> None:
    """Also where the second lock hides what is kept from them."""
    found = recounted(person)
    numbers = Counter()
    for (pk, _), (number, _, _) in found.items():
        numbers[pk] += number
    assert (counted(person), listed(person)) == (found, numbers), step
    with reading_as(person):
        assert (counted(person), listed(person)) == (found, numbers), step


def test_the_migration_counts_anew_without_documents_with_readers_of_their_own(alice, bob, guide):
    share(guide.collection, bob, Grant.Role.READER, by=alice)
    access.restrict(alice, guide.pk, is_restricted=True)
    (there,) = import_module("knowledge.migrations.0034_counts_without_parts").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute(there.reverse_sql)
        assert DocumentCount.objects.get().documents == 1
        cursor.execute(there.sql)
    assert not DocumentCount.objects.exists()
    for person in (alice, bob):
        check_counts(person, "migrated")
    assert (listed(alice).total(), listed(bob).total()) == (1, 0)


def test_a_curators_change_is_another_state_and_so_is_its_undoing(alice, guide):
    states = {knowledge_state(alice)}
    edit = PassageEdit.objects.create(document=guide, kind=PassageEdit.Kind.CORRECT, made_by=alice)
    states.add(knowledge_state(alice))
    PassageEdit.objects.filter(pk=edit.pk).update(state=PassageEdit.State.UNDONE)
    states.add(knowledge_state(alice))
    assert len(states) == 3


@pytest.mark.django_db(transaction=True)
def test_whoever_indexes_waits_for_nobody_and_sums_are_folded_meanwhile(alice):
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    source = Source.objects.create(collection=shelf, name="Uploads")

    def work(worker: int) -> None:
        try:
            for n in range(12):
                Document.objects.create(
                    collection=shelf, source=source, title="t", file_name="t", size=1,
                    media_type="text/plain", sha256=f"{worker}:{n}", status="ready",
                )  # fmt: skip
                fold()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert knowledge_state(alice) == oracle(alice)
    assert knowledge_state(alice).startswith("48:")
    while fold():
        pass
    assert ContentSum.objects.filter(collection_id=shelf.pk).count() <= 8
