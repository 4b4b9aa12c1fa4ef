"""Documents with readers of their own: what each person finds, against brute force."""

import random
from collections import Counter
from uuid import UUID

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404

from accounts import services as accounts
from accounts.models import Grant, Membership, Team, User
from gateway.embedding.embedder import get_embedder
from knowledge import discarding, services
from knowledge.analyzer import analyze, term_id
from knowledge.bm25 import idf
from knowledge.counts import count_documents
from knowledge.curation import shelving
from knowledge.document_access import services as access
from knowledge.document_access.selectors import list_grants
from knowledge.job_card import find_card
from knowledge.models import Chunk, Collection, Document, Embedding
from knowledge.overview import list_cards
from knowledge.retrieval import search, statements
from knowledge.retrieval.types import Filters
from knowledge.selectors import find_collection, list_collections
from knowledge.state import knowledge_state
from security.reading import reading_as
from tests.knowledge.conftest import AddText, run_job

pytestmark = pytest.mark.django_db
QUESTIONS = ("invoice for the hotel", "garden", "train budget meeting", "预算会议", "zanzibar")
WORDS = ["leave", "travel", "coffee", "badge", "server", "budget", "invoice", "garden", "train"]


def text_of(chance: random.Random, n: int) -> str:
    words = [chance.choice(WORDS) for _ in range(40)]
    chinese = "".join(chance.choice("预算会议花园火车酒店") for _ in range(20))
    return f"# Note {n}\n\n{' '.join(words)}.\n\n{chinese}。"


class Rights:
    """Who may read which document, told a second time."""

    def __init__(self) -> None:
        self.owner: dict[UUID, User] = {}
        self.home: dict[UUID, UUID] = {}
        self.roles: dict[tuple[UUID, UUID], str] = {}  # collection and person
        self.named: set[tuple[UUID, UUID]] = set()  # document and person
        self.restricted: set[UUID] = set()

    def reads(self, person: User, document: UUID) -> bool:
        home = self.home[document]
        is_owner = self.owner[home] == person
        role = "owner" if is_owner else self.roles.get((home, person.pk), "")
        if role in ("owner", "editor") or (document, person.pk) in self.named:
            return True
        return role == "reader" and document not in self.restricted

    def readable(self, person: User, within: list[UUID] | None = None) -> set[UUID]:
        return {
            pk
            for pk, home in self.home.items()
            if (within is None or home in within) and self.reads(person, pk)
        }


def scores(question: str, readable: set[UUID], alpha: float) -> list[float]:
    """Convex fusion over the passages that may be read: terms weigh what they weigh in these."""
    chunks = list(Chunk.objects.filter(document__in=readable))
    query = Counter(term_id(term) for term in analyze(question))
    dfs = Counter(term for chunk in chunks for term in chunk.terms)
    lexical = {}
    for chunk in chunks:
        weights = dict(zip(chunk.bm25.indices(), chunk.bm25.values(), strict=True))
        lexical[chunk.pk] = sum(
            count * idf(len(chunks), dfs[term]) * weights.get(term, 0)
            for term, count in query.items()
        )
    dense: dict[UUID, float] = {}
    if alpha:
        asked = np.array(get_embedder("all-MiniLM-L6-v2").embed([question])[0])
        rows = Embedding.objects.filter(chunk__document__in=readable, version__state="active")
        for chunk_id, vector in rows.values_list("chunk_id", "vector"):
            dense[chunk_id] = float(np.dot(asked, np.array(vector)))
    best = [max((s for s in leg.values() if s > 0), default=0.0) for leg in (lexical, dense)]
    fused: Counter[UUID] = Counter()
    for leg, top, weight in ((lexical, best[0], 1 - alpha), (dense, best[1], alpha)):
        for pk, score in leg.items():
            if score > 0:
                fused[pk] += weight * score / top
    return sorted(fused.values(), reverse=True)


@pytest.fixture
def rights(alice: User, bob: User, add_text: AddText) -> Rights:
    """Two collections of alice's and one of bob's, five documents each."""
    chance, made = random.Random(3), Rights()
    for number, owner in enumerate((alice, alice, bob)):
        collection = services.create_collection(owner, f"C{number}")
        made.owner[collection.pk] = owner
        for n in range(5):
            document = add_text(collection, text_of(chance, n), f"{number}-{n}.md")
            made.home[document.pk] = collection.pk
    return made


@pytest.mark.parametrize(
    ("walks", "seed"),
    [
        ("reads all", 1),
        ("by the indexes", 2),
        *(  # the same, but longer: `make chaos`
            pytest.param(walks, seed, marks=pytest.mark.chaos)
            for walks, seeds in (("reads all", (2, 3)), ("by the indexes", (1, 3)))
            for seed in seeds
        ),
    ],
)
def test_s53_search_is_exact_whatever_the_rights(
    alice, bob, charlie, admin, rights: Rights, seed: int, walks: str, monkeypatch
):
    if walks == "by the indexes":
        monkeypatch.setattr(statements, "SCORED_BELOW", 0)
    chance = random.Random(seed)
    people = [bob, charlie, admin]
    documents, homes = list(rights.home), list(rights.owner)
    for _step in range(14):
        pk, person = chance.choice(documents), chance.choice(people)
        home = rights.home[pk]
        owner = rights.owner[home]
        match chance.randrange(4):
            case 0 if person != owner:
                if (pk, person.pk) in rights.named:
                    grant = Grant.objects.get(object_id=pk, user=person)
                    access.unshare(owner, pk, grant.pk)
                else:
                    access.share(owner, pk, person)
                rights.named ^= {(pk, person.pk)}
            case 1:
                access.restrict(owner, pk, is_restricted=pk not in rights.restricted)
                rights.restricted ^= {pk}
            case 2 if person != owner:
                role = chance.choice(["reader", "editor", "owner"])
                accounts.share(Collection.objects.get(pk=home), person, role, by=owner)
                rights.roles[home, person.pk] = role
            case 3 if person != owner:
                accounts.unshare(Collection.objects.get(pk=home), person, by=owner)
                rights.roles.pop((home, person.pk), None)
        for who in (alice, *people):
            check(who, rights, chance.choice(QUESTIONS), None)
            check(who, rights, chance.choice(QUESTIONS), [chance.choice(homes)])


def check(person: User, rights: Rights, question: str, within: list[UUID] | None) -> None:
    readable = rights.readable(person, within)
    found = search(person, question, within, limit=50)
    assert {passage.document_id for passage in found.passages} <= readable
    expected = scores(question, readable, found.alpha)
    assert [p.score for p in found.passages] == pytest.approx(expected[:50], abs=2e-3)
    if within is None:
        visible = set(Document.objects.visible_to(person).values_list("pk", flat=True))
        assert visible == readable
        assert_second_lock(person, readable)


def assert_second_lock(person: User, readable: set[UUID]) -> None:
    """By the row policies alone."""
    with reading_as(person) as cursor:
        for table, column in (
            ("knowledge_document", "id"),
            ("knowledge_documenttext", "document_id"),
            ("knowledge_chunk", "document_id"),
        ):
            cursor.execute(f"select distinct {column} from {table}")
            assert {row[0] for row in cursor.fetchall()} == readable, table
        cursor.execute("select count(*) from knowledge_embedding")
        (vectors,) = cursor.fetchone()
    assert vectors == Embedding.objects.filter(chunk__document__in=readable).count()


def test_filters_stay_exact_and_open_nothing(alice, charlie, rights: Rights):
    documents = list(rights.home)
    access.share(alice, documents[0], charlie)
    access.restrict(alice, documents[1], is_restricted=True)
    accounts.share(
        Collection.objects.get(pk=rights.home[documents[1]]), charlie, "reader", by=alice
    )
    rights.named.add((documents[0], charlie.pk))
    rights.roles[rights.home[documents[1]], charlie.pk] = "reader"
    rights.restricted.add(documents[1])
    everything = Filters(documents=tuple(documents))
    for question in QUESTIONS:
        found = search(charlie, question, limit=50, filters=everything)
        plain = search(charlie, question, limit=50)
        assert [p.chunk_id for p in found.passages] == [p.chunk_id for p in plain.passages]
        hidden = search(charlie, question, filters=Filters(documents=(documents[1],)))
        assert hidden.passages == ()


def test_what_terms_weigh_tells_nothing_of_hidden_documents(alice, bob, add_text, handbook):
    """The same scores for a reader whether a restricted document is there or not."""
    accounts.share(handbook, bob, "reader", by=alice)
    add_text(handbook, "# Leave\n\nThe garden is closed in winter.", "a.md")
    add_text(handbook, "# Travel\n\nThe train leaves at noon. Zanzibar is far.", "b.md")
    before = search(bob, "zanzibar garden train", limit=50)
    hidden = add_text(handbook, "# Deal\n\nZanzibar zanzibar garden zanzibar.", "c.md")
    access.restrict(alice, hidden.pk, is_restricted=True)
    after = search(bob, "zanzibar garden train", limit=50)
    assert [(p.chunk_id, p.score, p.ranks) for p in after.passages] == [
        (p.chunk_id, p.score, p.ranks) for p in before.passages
    ]


def test_only_owners_say_who_reads_a_document(alice, bob, charlie, add_text, handbook):
    document = add_text(handbook, "# Note\n\nWords.")
    accounts.share(handbook, bob, "editor", by=alice)
    with pytest.raises(Http404):
        access.share(charlie, document.pk, charlie)
    for refused in (
        lambda: access.share(bob, document.pk, charlie),
        lambda: access.restrict(bob, document.pk, is_restricted=True),
    ):
        with pytest.raises(PermissionDenied):
            refused()
    assert not Grant.objects.filter(object_id=document.pk).exists()


def test_by_a_team_and_by_everyone(alice, bob, charlie, team: Team, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    access.share(alice, document.pk, team)
    assert [p.document_id for p in search(bob, "garden").passages] == [document.pk]
    assert not search(charlie, "garden").passages
    Membership.objects.filter(team=team, user=bob).delete()
    assert not search(bob, "garden").passages
    access.share(alice, document.pk, accounts.everyone())
    assert [p.document_id for p in search(charlie, "garden").passages] == [document.pk]


def test_indexed_again_edited_or_replaced_it_stays_apart(alice, bob, charlie, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    accounts.share(handbook, bob, "reader", by=alice)
    access.restrict(alice, document.pk, is_restricted=True)
    access.share(alice, document.pk, charlie)
    document.refresh_from_db()
    services.reindex_document(document)
    document.refresh_from_db()
    run_job(document)
    assert Chunk.objects.filter(document=document).values_list("collection", flat=True).first() == (
        document.pk
    )
    assert not search(bob, "garden").passages
    assert [p.document_id for p in search(charlie, "garden").passages] == [document.pk]


def test_indexed_while_it_is_set_apart(alice, bob, add_text, handbook):
    """A worker that began before has the document as it was then."""
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    accounts.share(handbook, bob, "reader", by=alice)
    services.reindex_document(document)
    began_with = Document.objects.get(pk=document.pk)
    access.restrict(alice, document.pk, is_restricted=True)
    run_job(began_with)
    assert not search(bob, "garden").passages
    assert search(alice, "garden").passages
    assert_statistics()


def test_deleted_and_restored(alice, bob, charlie, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    accounts.share(handbook, bob, "reader", by=alice)
    access.restrict(alice, document.pk, is_restricted=True)
    access.share(alice, document.pk, charlie)
    document.refresh_from_db()
    assert discarding.discard(document)
    for person in (alice, bob, charlie):
        assert not Document.objects.visible_to(person).filter(pk=document.pk).exists()
        assert not search(person, "garden").passages
        assert_second_lock(person, set())
    back = discarding.restore(alice, document.pk)
    run_job(back)
    assert not search(bob, "garden").passages
    assert search(charlie, "garden").passages
    assert_statistics()


def test_moved_it_keeps_its_readers(alice, bob, charlie, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    target = services.create_collection(alice, "Target")
    accounts.share(target, bob, "reader", by=alice)
    access.restrict(alice, document.pk, is_restricted=True)
    access.share(alice, document.pk, charlie)
    document.refresh_from_db()
    assert shelving.move(document, target)
    document.refresh_from_db()
    run_job(document)
    assert not search(bob, "garden").passages
    assert search(charlie, "garden").passages
    assert search(alice, "garden", [target.pk]).passages
    assert not search(alice, "garden", [handbook.pk]).passages
    assert_statistics()


def test_a_document_is_counted_for_its_readers_alone_with_the_second_lock_and_without(
    alice, bob, charlie, add_text, handbook
):
    kept = add_text(handbook, "# Note\n\nThe garden is closed.")
    add_text(handbook, "# Other\n\nThe train is late.", "b.md")
    editor = User.objects.create_user("dora@example.com", "x")
    for person, role in ((bob, "reader"), (charlie, "reader"), (editor, "editor")):
        accounts.share(handbook, person, role, by=alice)

    def told(person: User) -> set[int]:
        (listed,) = list_collections(person)
        (card,) = list_cards(person)
        found = find_collection(person, handbook.pk)
        done = find_card(found, person).done
        with reading_as(person):
            (locked,) = list_collections(person)
            here = count_documents([handbook.pk], person)[handbook.pk]
        numbers = {listed.document_count, found.document_count, locked.document_count}
        return numbers | {card.document_count, here.documents, done}

    people = (alice, editor, bob, charlie)
    access.restrict(alice, kept.pk, is_restricted=True)
    assert [told(person) for person in people] == [{2}, {2}, {1}, {1}]
    access.share(alice, kept.pk, charlie)
    assert [told(person) for person in people] == [{2}, {2}, {1}, {2}]
    kept.refresh_from_db()
    discarding.discard(kept)
    assert [told(person) for person in people] == [{1}] * 4
    restored = run_job(discarding.restore(alice, kept.pk))
    assert [told(person) for person in people] == [{2}, {2}, {1}, {2}]
    access.restrict(alice, restored.pk, is_restricted=False)
    assert [told(person) for person in people] == [{2}] * 4


def test_gone_for_good_nothing_of_it_is_left(alice, charlie, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    other = add_text(handbook, "# Other\n\nThe train is late.", "b.md")
    for one in (document, other):
        access.share(alice, one.pk, charlie)
    document.refresh_from_db()
    services.delete_document(document)
    assert not Collection.parts_apart.filter(pk=document.pk).exists()
    assert not Grant.objects.filter(object_id=document.pk).exists()
    services.delete_collection(handbook)
    assert not Collection.parts_apart.filter(part_of__isnull=False).exists()
    assert not Grant.objects.filter(kind="document").exists()
    assert not Chunk.objects.exists()


def test_a_new_owner_and_new_labels_hold_for_parts(alice, bob, add_text, handbook):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    access.share(alice, document.pk, bob)
    Collection.objects.filter(pk=handbook.pk).update(owner=bob, required_labels=["inside"])
    part = Collection.parts_apart.get(pk=document.pk)
    assert (part.owner, part.required_labels) == (bob, ["inside"])


def test_the_state_of_what_is_known_changes_with_every_right(
    alice, bob, charlie, add_text, handbook
):
    document = add_text(handbook, "# Note\n\nThe garden is closed.")
    add_text(handbook, "# Other\n\nThe train is late.", "b.md")
    accounts.share(handbook, bob, "reader", by=alice)
    ids = {document.pk}
    before = knowledge_state(bob, documents=ids)
    assert before is not None
    assert before == knowledge_state(alice, documents=ids)
    access.restrict(alice, document.pk, is_restricted=True)
    assert knowledge_state(bob, documents=ids) is None
    assert knowledge_state(bob) != before
    assert knowledge_state(charlie, documents=ids) is None
    grant = access.share(alice, document.pk, charlie)
    assert knowledge_state(charlie, documents=ids) is not None
    assert knowledge_state(charlie, [handbook.pk], documents=ids) is not None
    access.unshare(alice, document.pk, grant.pk)
    assert knowledge_state(charlie, documents=ids) is None
    assert list(list_grants(document)) == []


def assert_statistics() -> None:
    """Terms and lengths are counted under the id that the passages lie under."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select s.collection_id, s.n, s.sum_length from lexical_statistics s where s.n <> 0"
        )
        kept = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(
            "select collection_id, count(*), sum(length) from knowledge_chunk group by 1"
        )
        assert kept == {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute("select collection_id, term, df from term_df")
        terms = set(cursor.fetchall())
        cursor.execute(
            "select collection_id, term, count(*) from knowledge_chunk, unnest(terms) as term"
            " group by 1, 2"
        )
        assert terms == set(cursor.fetchall())
