"""What goes on around a document with readers of its own: sources, questions, runs, vectors."""

import importlib
import json
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import services as accounts
from accounts.models import Grant
from chat.retention.orphans import remove_orphaned_rows
from gateway.embedding.embedder import LOCAL_NAME, get_embedder
from knowledge import discarding, services
from knowledge.curation import shelving
from knowledge.document_access import services as access
from knowledge.embeddings.filling import fill
from knowledge.embeddings.overview import share_of
from knowledge.embeddings.storages import HALF
from knowledge.fates import tell_fates
from knowledge.models import (
    Collection,
    ContentSum,
    Document,
    Embedding,
    EmbeddingVersion,
    GoldenQuestion,
    QualityRun,
    Stage,
)
from knowledge.overview import find_progress
from knowledge.quality.services import Expectation, add_question, review_question
from knowledge.quality.weighing import question_terms, read_index
from knowledge.sources import pushing
from knowledge.sources.services import create_source
from knowledge.takeout_parts import uploaded_by, write_files
from knowledge.versions import find_active_version
from security.ids import new_id
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db
SECRET = "Project Zanzibar is sold in May"


@pytest.fixture
def deal(alice, bob, handbook, add_text) -> Document:
    """Kept from bob, who reads the collection."""
    add_text(handbook, "# Garden\n\nThe garden is closed in winter.", "a.md")
    document = add_text(handbook, f"# Deal\n\n{SECRET}. The garden is not part of it.", "deal.md")
    accounts.share(handbook, bob, "reader", by=alice)
    access.restrict(alice, document.pk, is_restricted=True)
    document.refresh_from_db()
    return document


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_what_takes_its_place_at_a_source_has_its_readers(alice, bob, charlie, handbook):
    """It is another document where two sources had the first one, or where that was deleted."""
    first, second = (create_source(alice, handbook, "api", name, {}) for name in ("A", "B"))
    document, _ = pushing.put(first, "deal", as_stream(SECRET), "deal.md")
    assert pushing.put(second, "deal", as_stream(SECRET), "deal.md")[0] == document
    accounts.share(handbook, bob, "reader", by=alice)
    access.restrict(alice, document.pk, is_restricted=True)
    access.share(alice, document.pk, charlie)
    other, outcome = pushing.put(second, "deal", as_stream(f"{SECRET}, or June"), "deal.md")
    assert (outcome, other == document) == ("changed", False)
    assert discarding.discard(Document.objects.get(pk=document.pk))
    again, outcome = pushing.put(first, "deal", as_stream(f"{SECRET}, or July"), "deal.md")
    assert outcome == "added"
    for one in (other, again):
        run_job(one)
        assert not Document.objects.visible_to(bob).filter(pk=one.pk).exists()
        for reader in (alice, charlie):
            assert Document.objects.visible_to(reader).filter(pk=one.pk).exists()
    open_one, _ = pushing.put(first, "open", as_stream("The garden"), "a.md")
    assert Document.objects.visible_to(bob).filter(pk=open_one.pk).exists()


def test_a_question_on_it_is_proposed_as_if_nobody_had_asked(alice, bob, handbook, deal):
    asked = add_question(alice, handbook, "Zanzibar?", expected=[Expectation(deal.pk, SECRET)])
    page, place = signed_in(bob), f"/api/v1/collections/{handbook.pk}/golden-questions"
    told = []
    for text in ("zanzibar", "Who gardens?"):
        twice = [page.post(place, {"question": text}, "application/json").json() for _n in range(2)]
        assert twice[0] == twice[1]
        assert page.put(
            f"/api/v1/golden-questions/{twice[0]['id']}", {"question": "x"}, "application/json"
        ).status_code == 403  # fmt: skip
        told.append({**twice[0], "id": "", "question": "", "created_at": ""})
    assert told[0] == told[1]
    assert (told[0]["expected"], told[0]["state"]) == ([], "proposed")
    assert GoldenQuestion.objects.filter(collection=handbook).count() == 3
    asked.refresh_from_db()
    assert (asked.state, asked.text) == ("accepted", "Zanzibar?")
    # An editor's words are that question's, and both can be reviewed.
    assert add_question(alice, handbook, "ZANZIBAR?") == asked
    own = GoldenQuestion.objects.get(added_by=bob, text="zanzibar")
    assert review_question(alice, own, is_accepted=True).state == "accepted"


def test_runs_are_told_to_editors_while_something_is_kept(alice, bob, handbook, deal):
    add_question(alice, handbook, "Zanzibar?", expected=[Expectation(deal.pk, SECRET)])
    garden = Document.objects.get(file_name="a.md")
    add_question(alice, handbook, "Garden?", expected=[Expectation(garden.pk)])
    run = QualityRun.objects.create(
        collection=handbook, cause="hand", state="done", questions=2,
        figures={"ndcg": 0.5, "expecting": 2, "nothing": 0},
    )  # fmt: skip
    api = f"/api/v1/collections/{handbook.pk}/quality/runs"
    places = (f"/api/v1/quality-runs/{run.pk}", f"/knowledge/{handbook.pk}/quality/runs/{run.pk}/")

    def seen_by(user):
        page = signed_in(user)
        shown = page.get(f"/knowledge/{handbook.pk}/quality/").content.decode()
        assert page.get(f"/knowledge/{handbook.pk}/quality/questions/").status_code == 200
        return (
            len(page.get(api).json()["items"]),
            "quality-figures" in shown,
            "is told to those who edit" in shown,
            [page.get(place).status_code for place in places],
        )

    assert seen_by(alice) == (1, True, False, [200, 200])
    assert seen_by(bob) == (0, False, True, [404, 404])
    discarding.discard(deal)  # its figures are in the run still
    assert seen_by(bob) == (0, False, True, [404, 404])
    assert seen_by(alice) == (1, True, False, [200, 200])
    discarding.restore(alice, deal.pk)
    access.restrict(alice, deal.pk, is_restricted=False)
    assert seen_by(bob) == (1, True, False, [200, 200])


def test_moved_it_has_the_owner_and_labels_of_now(alice, bob, handbook, deal):
    target = services.create_collection(alice, "Target")
    as_it_was = Collection.objects.get(pk=target.pk)
    Collection.objects.filter(pk=target.pk).update(owner=bob, required_labels=["inside"])
    assert shelving.move(deal, as_it_was)
    part = Collection.parts_apart.get(pk=deal.pk)
    assert (part.part_of, part.owner, part.required_labels) == (target, bob, ["inside"])
    other = services.create_collection(alice, "Gone")
    Collection.objects.filter(pk=other.pk).delete()
    assert not shelving.move(deal, other)


def test_another_version_has_its_vectors_where_its_passages_are(alice, handbook, deal):
    active = find_active_version()
    # As a filling saw them that began before it was set apart.
    Embedding.objects.filter(chunk__document=deal).update(collection=handbook)
    other = EmbeddingVersion.objects.create(
        model=LOCAL_NAME, dimensions=active.dimensions, storage=HALF,
        state=EmbeddingVersion.State.FILLING, is_multilingual=active.is_multilingual,
    )  # fmt: skip
    fill(other, get_embedder(LOCAL_NAME), lambda _done, _total: None)
    rows = Embedding.objects.filter(version=other, chunk__document=deal)
    assert set(rows.values_list("collection", flat=True)) == {deal.pk}
    Embedding.objects.filter(version=active, chunk__document=deal).update(collection=deal.pk)
    passages = sum(Document.objects.values_list("chunk_count", flat=True))
    assert share_of(handbook.pk, active) == (passages, passages)


def test_an_export_names_no_collection_to_who_has_the_document_alone(alice, bob, handbook):
    handbook.name = "Boardroom papers"
    handbook.save()
    accounts.share(handbook, bob, "editor", by=alice)
    document, _ = services.add_document(bob, handbook, as_stream("my words"), "plan.txt")
    run_job(document)
    access.share(alice, document.pk, bob)
    assert "Boardroom" in _export(bob)
    accounts.unshare(handbook, bob, by=alice)
    assert [one.pk for one in uploaded_by(bob)] == [document.pk]
    told = _export(bob)
    assert "plan.txt" in told
    assert "Boardroom" not in told


def _export(user) -> str:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for _n in write_files(user, archive):
            pass
        names = archive.namelist()
    with ZipFile(file) as archive:
        return json.dumps([names, archive.read("files.json").decode()])


def test_tuning_weighs_terms_over_all_that_editors_search(alice, handbook, add_text):
    for n in range(3):
        add_text(handbook, f"# Note {n}\n\nThe garden of house {n} is closed.", f"{n}.md")
    index, terms = read_index(handbook), question_terms(handbook, read_index(handbook), "garden")
    one, *others = Document.objects.values_list("pk", flat=True)
    access.restrict(alice, one, is_restricted=True)
    assert read_index(handbook) == index
    assert question_terms(handbook, index, "garden") == terms
    for pk in others:
        access.restrict(alice, pk, is_restricted=True)
    assert read_index(handbook).n == index.n
    assert read_index(handbook).average == pytest.approx(index.average)


def test_who_goes_hears_that_single_documents_are_shared(alice, charlie, handbook, deal):
    Grant.objects.filter(kind="collection").delete()
    assert "Others can read these" not in str([fate.text for fate in tell_fates(alice)])
    access.share(alice, deal.pk, charlie)
    assert f"Others can read these until then: {deal.title}." in tell_fates(alice)[0].text


def test_progress_is_that_of_the_documents_one_sees(alice, bob, handbook, deal):
    other = Document.objects.get(file_name="a.md")
    Document.objects.filter(collection=handbook).update(status="running")
    for document, done in ((deal, 90), (other, 0)):
        Stage.objects.update_or_create(
            document=document, name="embed", defaults={"done": done, "total": 100}
        )
    seen = Document.objects.visible_to(bob).filter(collection=handbook)
    assert find_progress(handbook, seen).time_left is None  # nothing of it is done


def test_nothing_of_it_stays_behind(alice, charlie, handbook, deal):
    access.share(alice, deal.pk, charlie)
    services.delete_collection(handbook)
    assert not ContentSum.objects.exists()
    assert not Collection.parts_apart.exists()
    Grant.objects.create(user=charlie, kind="document", object_id=new_id())
    assert remove_orphaned_rows() == 1


def test_grants_on_documents_that_are_there_stay(alice, charlie, deal):
    access.share(alice, deal.pk, charlie)
    assert remove_orphaned_rows() == 0
    assert Grant.objects.filter(kind="document", object_id=deal.pk).exists()


def test_an_older_version_is_not_gone_back_to_while_something_is_apart(deal):
    """It would be a collection like others there, and its passages open to nobody or everybody."""
    refuse = importlib.import_module("knowledge.migrations.0027_document_access").REFUSE
    with (
        pytest.raises(DatabaseError, match="readers of their own"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(refuse)
    services.delete_document(deal)
    with connection.cursor() as cursor:
        cursor.execute(refuse)
