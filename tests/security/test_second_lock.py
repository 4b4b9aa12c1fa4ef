"""The second lock: with the first one taken off, Postgres still gives nobody another's words."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DataError, ProgrammingError, connection, transaction

from accounts.access import OwnedQuerySet
from accounts.models import Grant, User
from accounts.services import disable, share, unshare
from chat import services as chat
from chat.models import Citation, Conversation, Message, Turn
from config import doctor, second_lock
from gateway.embedding.embedder import get_embedder
from knowledge import retrieval, services
from knowledge.embeddings.storages import dense_leg
from knowledge.models import Chunk, Collection, Document, DocumentText, Embedding, Source, Stage
from knowledge.retrieval import statements
from knowledge.retrieval.allowed import readable
from knowledge.versions import find_active_version
from security.reading import ROLE, is_fitted, reading_as
from tests.support.world import CANARY, World, build

pytestmark = pytest.mark.django_db

KEPT = (
    "knowledge_collection", "knowledge_source", "knowledge_document", "knowledge_documenttext",
    "knowledge_stage", "knowledge_picture", "knowledge_documentversion",
    "knowledge_versiontext", "knowledge_chunk", "knowledge_lexicon",
    "knowledge_embedding", "term_df", "lexical_statistics", "chat_conversation",
    "chat_message", "chat_turn", "chat_citation",
)  # fmt: skip


@pytest.fixture
def world(db, tmp_path, settings) -> World:
    settings.FILES_ROOT = tmp_path / "files"
    return build()


@pytest.fixture
def without_the_first_lock(monkeypatch) -> Iterator[None]:
    """Every query believes that everybody may see and change everything; also the one that is
    written once."""
    readable.cache_clear()
    monkeypatch.setattr(OwnedQuerySet, "_with_role", lambda self, *_: self)
    yield
    readable.cache_clear()


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return int(cursor.fetchone()[0])


def counts_for(person: Any) -> dict[str, int]:
    with reading_as(person):
        return {table: count(table) for table in KEPT}


# -- Who reads what --------------------------------------------------------------------------------


def test_each_reads_their_own_and_what_is_shared(world: World) -> None:
    everything = {table: count(table) for table in KEPT}
    everything["knowledge_lexicon"] = everything["knowledge_chunk"]  # nobody reads: it is empty
    owners = counts_for(world.people["owner"])
    rivals = counts_for(world.people["rival"])
    assert {table: owners[table] + rivals[table] for table in KEPT} == everything
    assert all(owners[table] for table in KEPT if table != "knowledge_embedding")  # it is Chinese
    for cast in ("editor", "reader", "mate"):
        assert counts_for(world.people[cast]) == owners, cast
    for nobody in (world.people["stranger"], world.people["disabled"], AnonymousUser()):
        assert counts_for(nobody) == dict.fromkeys(KEPT, 0), nobody


def test_a_citation_needs_both_the_answer_and_the_document(world: World) -> None:
    reader = world.people["reader"]
    Grant.objects.filter(user=reader, kind=Grant.Kind.COLLECTION).delete()
    found = counts_for(reader)
    assert (found["chat_message"], found["chat_citation"]) == (2, 0)


def test_no_secret_is_readable_under_the_role(alice: User) -> None:
    for table in ("gateway_endpoint", "accounts_apitoken", "accounts_user", "django_session",
                  "audit_entry", "event"):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), reading_as(alice):
            count(table)


def test_every_table_that_may_be_read_has_a_policy_but_for_who_may_see_what() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relname = any(%s) and not relrowsecurity"
            " and relkind <> 'v'",
            [list(second_lock.READABLE)],
        )
        assert {row[0] for row in cursor.fetchall()} == {
            "accounts_grant", "accounts_membership", "accounts_team", "agents_agent",
            "knowledge_embeddingversion",
        }  # fmt: skip


# -- With the first lock off -----------------------------------------------------------------------


def test_s04_search_finds_nothing_of_others(world: World, without_the_first_lock) -> None:
    """The runner searches by the same function with the rights of whoever asked."""
    assert retrieval.search(world.people["owner"], "merger").passages
    for words in ("merger", "合并", CANARY):
        assert retrieval.search(world.people["stranger"], words).passages == ()


def test_no_route_that_reads_words_tells_them(world: World, without_the_first_lock) -> None:
    ids = world.ids
    paths = (
        f"/api/v1/documents/{ids['document_id']}",
        f"/api/v1/documents/{ids['document_id']}/chunks",
        f"/api/v1/documents/{ids['document_id']}/passage?start=0&end=80",
        f"/api/v1/documents/{ids['document_id']}/file",
        "/api/v1/documents",
        "/api/v1/collections",
        f"/api/v1/conversations/{ids['conversation_id']}/messages",
        f"/api/v1/turns/{ids['turn_id']}",
    )
    for path in paths:
        told = {}
        for cast in ("owner", "stranger"):
            response = world.program(cast).get(path)
            body = b"" if response.status_code == 404 else b"".join(response)
            told[cast] = any(word in body.decode() for word in (CANARY, "minutes", "Board"))
        assert told == {"owner": True, "stranger": False}, path
    pages = (
        f"/knowledge/documents/{ids['document_id']}/",
        f"/knowledge/documents/{ids['document_id']}/preview",
        f"/passages/{ids['document_id']}?at=0-80",
    )
    for path in pages:
        assert CANARY in world.browser("owner").get(path).content.decode(), path
        assert CANARY not in world.browser("stranger").get(path).content.decode(), path


# -- Check and read are one ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_s06_a_grant_taken_between_two_reads_closes_the_second(alice: User, bob: User) -> None:
    collection = services.create_collection(alice, "Board")
    source = Source.objects.create(collection=collection, name="Uploads")
    Document.objects.create(
        collection=collection, source=source, title="Minutes", file_name="a.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip
    share(collection, bob, "reader", by=alice)

    def take() -> None:
        unshare(collection, bob, by=alice)
        connection.close()

    with ThreadPoolExecutor(1) as elsewhere, reading_as(bob):
        assert Document.objects.count() == 1
        elsewhere.submit(take).result()
        assert Document.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("breaks", [False, True])
def test_a_connection_goes_back_as_it_came(alice: User, breaks: bool) -> None:
    def who() -> tuple[str, str, str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "select current_user, coalesce(current_setting('parley.user_id', true), ''),"
                " current_setting('plan_cache_mode')"
            )
            return cursor.fetchone()

    before = who()
    expected = pytest.raises(DataError, match="zero") if breaks else nullcontext()
    with expected, reading_as(alice, plan_cache_mode="force_custom_plan") as cursor:
        assert who() == (ROLE, str(alice.pk), "force_custom_plan")
        if breaks:
            cursor.execute("select 1 / 0")
    for _ in range(4):  # the pool hands it out again
        assert who() == before
        connection.close()


def test_inside_another_transaction_it_ends_with_its_block(alice: User, bob: User) -> None:
    services.create_collection(bob, "Bob's")
    with transaction.atomic():
        with reading_as(alice):
            with reading_as(bob):
                assert count("knowledge_collection") == 1
            assert count("knowledge_collection") == 0
        assert count("knowledge_collection") == 1
        services.create_collection(alice, "Alice's")  # as before, with the right to write


def test_nothing_is_written_under_it(alice: User) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), reading_as(alice):
        Collection.objects.create(owner=alice, name="Board")
    assert not Collection.objects.exists()


# -- Gone is gone ----------------------------------------------------------------------------------


def test_s52_what_is_deleted_or_unshared_is_gone_from_the_next_read(world: World) -> None:
    owner, reader = world.people["owner"], world.people["reader"]
    assert retrieval.search(reader, "merger").passages
    collection = Collection.objects.get(pk=world.ids["collection_id"])
    unshare(collection, reader, by=owner)
    assert retrieval.search(reader, "merger").passages == ()
    left = counts_for(reader)  # the conversation is still shared, with the image in it
    assert (left["chat_message"], left["knowledge_document"], left["knowledge_picture"]) == (
        2,
        1,
        1,
    )
    assert (left["knowledge_chunk"], left["chat_citation"], left["term_df"]) == (0, 0, 0)
    services.delete_document(Document.objects.get(pk=world.ids["document_id"]))
    assert retrieval.search(owner, "merger").passages == ()
    for model in (DocumentText, Chunk, Stage, Citation):
        assert not model.objects.filter(document=world.ids["document_id"]).exists(), model
    assert not Embedding.objects.filter(collection=collection).exists()


# -- The lock and the indexes ----------------------------------------------------------------------


def _crowd(owner: User, other: User, of_owner: int, everything: int) -> np.ndarray:
    """A hundred collections of random vectors, the first few of them the owner's."""
    chance = np.random.default_rng(5)
    vectors = chance.normal(size=(everything, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    find_active_version()  # makes it where a flush has taken it
    collections = [
        services.create_collection(owner if number < of_owner else other, f"C{number}")
        for number in range(100)
    ]
    with connection.cursor() as cursor:
        for collection in collections:
            source = Source.objects.create(collection=collection, name="Uploads")
            Document.objects.create(
                collection=collection, source=source, title=collection.name, file_name="a.txt",
                media_type="text/plain", size=1, sha256="0" * 64,
            )  # fmt: skip
        cursor.execute(
            """
            insert into knowledge_chunk (id, document_id, collection_id, version, position, text,
                heading_path, start, "end", script, length, terms, bm25)
            select lpad(to_hex(n), 32, '0')::uuid, d.id, d.collection_id, 1, n, 'text', '{}', 0, 4,
                'latin', 1, '{7}', '{8:1}/1000000000'
            from unnest(%s::uuid[]) with ordinality as c (id, place)
            join knowledge_document d on d.collection_id = c.id,
            generate_series(0, %s) n where n %% 100 = place - 1
            """,
            [[collection.pk for collection in collections], everything - 1],
        )
        texts = ["[" + ",".join(f"{value:.5f}" for value in row) + "]" for row in vectors]
        cursor.execute(
            """
            insert into knowledge_embedding (chunk_id, version_id, collection_id, script, vector)
            select c.id, 1, c.collection_id, 'latin', v.vector::halfvec
            from unnest(%s::text[]) with ordinality as v (vector, place)
            join knowledge_chunk c on c.position = v.place - 1
            """,
            [texts],
        )
        cursor.execute(
            "insert into lexical_statistics (collection_id, n) select collection_id, count(*)"
            " from knowledge_chunk group by 1"
        )
        cursor.execute("analyze knowledge_chunk, knowledge_embedding, knowledge_collection")
    return vectors


@pytest.mark.parametrize("share_of_all", [1, 10])
def test_s53_the_filter_is_inside_and_the_result_as_by_brute_force(
    alice: User, charlie: User, monkeypatch, share_of_all: int
) -> None:
    vectors = _crowd(alice, charlie, share_of_all, 1000)
    mine = [n for n in range(1000) if n % 100 < share_of_all]
    hits, wanted = {4_000: 0, 0: 0}, 0  # reading all permitted vectors, and walking the graph
    questions = ["holiday", "invoice for the hotel", "how does it work?", "blue", "Q3 forecast"]
    for question in questions:
        (vector,) = get_embedder("all-MiniLM-L6-v2").embed([question])
        similarity = vectors[mine] @ np.asarray(vector)
        best = [mine[n] for n in np.argsort(-similarity)[:5] if similarity[n] > 0]
        wanted += len(best)
        for exact_below in hits:
            monkeypatch.setattr(statements, "EXACT_BELOW", exact_below)
            found = retrieval.search(alice, question, limit=5).passages
            assert {passage.chunk_id.int % 100 < share_of_all for passage in found} == {True}
            hits[exact_below] += len({passage.chunk_id.int for passage in found} & set(best))
    assert hits[4_000] == wanted > 15
    assert hits[0] >= 0.9 * wanted


def test_both_indexes_serve_under_the_lock(alice: User, charlie: User) -> None:
    _crowd(alice, charlie, 50, 500)
    vector, weights = "[" + ",".join(["0.05"] * 384) + "]", "{1:1}/1000000000"
    allowed = "select id from knowledge_collection"
    named = f"with allowed as ({allowed}) "
    legs = {
        "embedding_hnsw_1": (
            named + dense_leg(
                find_active_version(), 10, is_exact=False, within=statements.WITHIN).sql,
            [vector, vector]),
        "chunk_terms": (
            statements.LEXICAL.format(
                allowed=allowed, named="", within=statements.WITHIN, holds=statements.HOLDS,
                narrowed="", limit=10),
            [weights, [9]]),
    }  # fmt: skip
    with connection.cursor() as cursor:  # terms that wait in the index's list would decide here
        cursor.execute("select gin_clean_pending_list('chunk_terms')")
    for index, (leg, values) in legs.items():
        with reading_as(alice, enable_seqscan="off", enable_sort="off") as cursor:
            cursor.execute(f"explain {leg}", values)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert index in plan, plan


# -- Where it cannot be ----------------------------------------------------------------------------


def test_without_it_the_first_lock_holds_and_the_doctor_says_so(world: World, settings) -> None:
    assert doctor.check_second_lock().status == doctor.OK
    settings.PARLEY_SECOND_LOCK = False
    assert doctor.check_second_lock().status == doctor.WARN
    assert retrieval.search(world.people["owner"], "merger").passages
    assert retrieval.search(world.people["stranger"], "merger").passages == ()


def test_a_database_user_who_may_not_make_roles_gets_no_second_lock(alice: User) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"revoke select on chat_message from {ROLE}")
        cursor.execute("create role modest nologin")
        cursor.execute("set local role modest")
        second_lock.fit()  # refused, and nothing breaks
        assert not is_fitted()
        transaction.set_rollback(True)
    second_lock.fit()
    assert is_fitted()


def test_disabled_people_read_nothing(alice: User) -> None:
    services.create_collection(alice, "Board")
    chat.create_conversation(alice, title="Board")
    assert counts_for(alice)["knowledge_collection"] == 1
    disable(alice)
    assert set(counts_for(alice).values()) == {0}
    assert Conversation.objects.count() == 1
    assert not Message.objects.exists()
    assert not Turn.objects.exists()
