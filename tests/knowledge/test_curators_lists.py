"""Lists of documents that need a look, their orders, and what is done to several at once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Grant
from accounts.services import share
from knowledge import bulk, retrieval, services
from knowledge.bulk import Action
from knowledge.curation import documents, editing
from knowledge.curation.documents import ORDERS, Wanted, find_twins, list_wanted
from knowledge.curation.likeness import likeness_of
from knowledge.job_card import find_card
from knowledge.models import Collection, Document
from knowledge.overview import list_cards
from knowledge.selectors import find_collection, list_documents
from security.models import AuditEntry
from tests.knowledge.conftest import AddText, run_job

pytestmark = pytest.mark.django_db(transaction=True)
LONG = " ".join(f"Rule {n} says what to do on day {n * 7}." for n in range(200))


def names(user, collection: Collection, limit: int = 50, **wanted: str) -> list[str]:
    page = list_wanted(user, collection.pk, Wanted(**wanted), None, limit)
    return [document.file_name for document in page.items]


def test_likeness_knows_the_same_the_nearly_same_and_others() -> None:
    one, other = likeness_of(LONG), likeness_of(LONG.upper().replace(".", " ;\n"))
    assert one is not None
    assert one == other
    nearly = likeness_of(LONG.replace("Rule 100 ", "Clause 100 "))
    assert nearly is not None
    assert nearly.same != one.same
    assert set(nearly.like) & set(one.like)
    for text in ("Something else entirely.", "合并将于五月完成。", LONG[: len(LONG) // 2]):
        found = likeness_of(text)
        assert found is not None
        assert not set(found.like) & set(one.like)
    assert likeness_of(" … \n") is None


def test_lists_of_what_needs_a_look(
    alice, handbook: Collection, add_text: AddText, api_for
) -> None:
    add_text(handbook, LONG, "rules.md")
    add_text(handbook, LONG + "\n\n", "copy.md")
    add_text(handbook, LONG.replace("Rule 100 ", "Clause 100 "), "near.md")
    other = add_text(handbook, "# Leave\n\nTwenty days.", "leave.md")
    assert names(alice, handbook, list="duplicates") == ["near.md", "copy.md", "rules.md"]
    page = list_wanted(alice, handbook.pk, Wanted(list="duplicates"), None, 50)
    twins = find_twins(alice, handbook.pk, page.items)
    told = {d.file_name: (twins[d.pk].document.title, twins[d.pk].is_same) for d in page.items}
    assert told["copy.md"] == ("rules", True)
    assert told["near.md"] == ("rules", False)
    place = f"/documents?collection={handbook.pk}&list="
    listed = {
        row["file_name"]: row for row in api_for(alice).get(place + "duplicates").json()["items"]
    }
    twins_told = {
        name: (row["twin"]["title"], row["twin"]["is_same"]) for name, row in listed.items()
    }
    assert twins_told == told
    assert {row["twin"] for row in api_for(alice).get(place).json()["items"]} == {None}

    Document.objects.filter(pk=other.pk).update(created_at=timezone.now() - timedelta(days=400))
    assert names(alice, handbook, list="stale") == ["leave.md"]
    assert names(alice, handbook, age="-365") == ["leave.md"]
    assert len(names(alice, handbook, age="7")) == 3
    Document.objects.filter(pk=other.pk).update(status="failed")
    assert names(alice, handbook, list="failed") == ["leave.md"]
    assert len(names(alice, handbook, list="uncited")) == 3
    assert names(alice, handbook, q="rul", kind="text/markdown") == ["rules.md"]
    for order in ("", "oldest", "updated", "title", "size"):
        found, cursor = [], None
        while True:
            page = list_wanted(alice, handbook.pk, Wanted(order=order), cursor, 3)
            found += page.items
            if (cursor := page.next) is None:
                break
        assert len({document.pk for document in found}) == len(found) == 4
    assert names(alice, handbook, order="size")[-1] == "leave.md"


def test_never_cited_documents_are_walked_a_stretch_at_a_time(
    alice, handbook, add_text, monkeypatch, django_assert_max_num_queries
) -> None:
    """However many there are: a page may end before it is full, and the next one goes on there."""
    for n in range(7):
        add_text(handbook, f"# Rule {n}\n\nIt holds on day {n}.", f"{n}.md")
    rows = Document.objects.filter(file_name__in=("1.md", "3.md", "4.md", "5.md"))
    cited = {document.pk for document in rows}
    monkeypatch.setattr(documents, "STRETCH", 2)
    monkeypatch.setattr(documents, "is_cited", lambda _field: Q(pk__in=cited))
    for order in ORDERS:
        for most, limit in ((1, 1), (1, 3), (2, 2), (10, 50)):
            monkeypatch.setattr(documents, "STRETCHES", most)
            found, cursor, pages = [], None, 0
            while pages == 0 or cursor:
                with django_assert_max_num_queries(4 + 3 * most):
                    page = list_wanted(
                        alice, handbook.pk, Wanted(list="uncited", order=order), cursor, limit
                    )
                found += [document.file_name for document in page.items]
                assert len(page.items) <= limit
                cursor, pages = page.next, pages + 1
            assert sorted(found) == ["0.md", "2.md", "6.md"], (order, most, limit)


def test_counts_of_a_collection_look_at_none_of_its_documents(alice, handbook, add_text) -> None:
    add_text(handbook, "# Leave\n\nTwenty days.", "leave.md")
    with CaptureQueriesContext(connection) as asked:
        (card,) = list_cards(alice)
        found = find_collection(alice, handbook.pk)
        job_card = find_card(found, alice)
    assert (card.document_count, found.document_count, job_card.done) == (1, 1, 1)
    assert card.changed_at == Document.objects.get().updated_at
    walks = [q["sql"] for q in asked if 'FROM "knowledge_document"' in q["sql"]]
    assert walks
    for sql in walks:  # the newest one; failures; what is kept from this person
        is_bounded = "LIMIT" in sql or '"knowledge_document"."id" = any (ARRAY(' in sql
        assert is_bounded, sql


def test_readers_are_told_nothing_of_citations(alice, bob, handbook, add_text, api_for) -> None:
    add_text(handbook, LONG, "rules.md")
    share(handbook, bob, Grant.Role.READER, by=alice)
    place = f"/documents?collection={handbook.pk}&list="
    assert len(api_for(alice).get(place + "uncited").json()["items"]) == 1
    assert api_for(bob).get(place + "uncited").json()["items"] == []
    assert api_for(bob).get(place + "nonsense").status_code == 422
    assert len(api_for(bob).get(place + "&order=title&limit=1").json()["items"]) == 1


def test_documents_leave_search_and_come_back(alice, handbook, add_text) -> None:
    document = add_text(handbook, "# Leave\n\nTwenty days.", "leave.md")
    editing.add(alice, document, None, "Thirty days from 2027 on.")
    assert bulk.act(alice, handbook, Action.EXCLUDE, [document.pk]) == [document.pk]
    assert bulk.act(alice, handbook, Action.EXCLUDE, [document.pk]) == []
    assert retrieval.search(alice, "How many days?").passages == ()
    assert names(alice, handbook, list="excluded") == ["leave.md"]
    services.reindex_document(document)
    run_job(document)
    assert (document.status, document.chunk_count) == ("ready", 0)
    assert bulk.act(alice, handbook, Action.INCLUDE, [document.pk]) == [document.pk]
    document.refresh_from_db()
    run_job(document)
    texts = document.chunks.order_by("position").values_list("text", flat=True)
    assert list(texts) == ["Thirty days from 2027 on.", "Twenty days."]
    acts = AuditEntry.objects.filter(object_id=str(document.pk)).order_by("pk")
    assert [e.act for e in acts] == ["passage.edited", "document.excluded", "document.included"]


def test_documents_move_with_their_edits_and_back(alice, handbook, add_text) -> None:
    archive = services.create_collection(alice, "Archive")
    document = add_text(handbook, "# Leave\n\nTwenty days.", "leave.md")
    same = add_text(handbook, "# Same\n\nThe same.", "same.md")
    add_text(archive, "# Same\n\nThe same.", "same.md")
    editing.correct(alice, document, document.chunks.get().pk, "Twenty-five days.")
    ids = [document.pk, same.pk]
    assert bulk.act(alice, handbook, Action.MOVE, ids, archive) == [document.pk]
    document.refresh_from_db()
    run_job(document)
    (passage,) = retrieval.search(alice, "Twenty-five days").passages[:1]
    assert (passage.text, passage.collection_id) == ("Twenty-five days.", archive.pk)
    with connection.cursor() as cursor:
        cursor.execute("select collection_id, n from lexical_statistics where n > 0")
        assert dict(cursor.fetchall()) == {handbook.pk: 1, archive.pk: 2}
    assert bulk.act(alice, archive, Action.MOVE, [document.pk], handbook) == [document.pk]


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_lists_are_quick_with_two_hundred_thousand_documents(alice, handbook) -> None:
    source = services.upload_source(handbook)
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # rows alone, without triggers
        cursor.execute(
            """
            insert into knowledge_document (id, collection_id, source_id, title, file_name,
                media_type, size, sha256, status, reason, language, chunk_count, version,
                same_text, like_a, like_b, like_c, created_at, updated_at)
            select gen_random_uuid(), %s, %s, 'Document ' || n, n || '.md', 'text/markdown', n,
                   md5(n::text) || md5(n::text), case when n %% 5000 = 0 then 'failed' else 'ready'
                   end, '', 'en', 3, 1, n / 2, n / 2, n, n, now() - n * interval '1 minute',
                   now() - n * interval '1 minute'
            from generate_series(1, 200000) as n
            """,
            [handbook.pk, source.pk],
        )
        cursor.execute("set session_replication_role = origin")
        cursor.execute("analyze knowledge_document")
    took = {}
    for wanted in (
        *(Wanted(order=order) for order in ("", "oldest", "updated", "title", "size")),
        *(Wanted(list=name) for name in ("failed", "stale", "duplicates", "uncited", "excluded")),
    ):
        began = timezone.now()
        page = list_wanted(alice, handbook.pk, wanted, None, 50)
        if page.next:
            list_wanted(alice, handbook.pk, wanted, page.next, 50)
        took[wanted.list or f"by {wanted.order}"] = (timezone.now() - began).total_seconds()
    print(took)
    assert max(took.values()) < 10, took  # on a machine at load 20
    for name, (_label, order) in ORDERS.items():
        rows = list_documents(alice, handbook.pk).annotate(name_key=Lower("title"))
        plan = rows.order_by(*order)[:51].explain()
        assert "Seq Scan on knowledge_document" not in plan, (name, plan)
        assert "Sort" not in plan.replace("Incremental Sort", ""), (name, plan)
