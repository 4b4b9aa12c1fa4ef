"""Knowledge pages: alice owns, bob reads, charlie sees nothing at all."""

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Q
from django.urls import reverse

from accounts.models import Grant
from knowledge.curation import documents
from knowledge.models import Collection, Document

HTMX = {"HX-Request": "true"}
TEXT = "# Leave\n\nFour weeks of <b>notice</b> are needed.\n\n## 請假\n\n四週前提出申請。\n"


@pytest.fixture
def note(shared, add_text) -> Document:
    return add_text(shared, TEXT, "leave.md")


def address(name: str, thing) -> str:
    kind = "document_id" if isinstance(thing, Document) else "collection_id"
    return reverse(f"knowledge:{name}", kwargs={kind: thing.pk})


@pytest.mark.parametrize("name", ["collection", "documents", "progress"])
def test_readers_see_the_collection_and_strangers_do_not(
    name, client_of, alice, bob, charlie, note
):
    page = address(name, note.collection)
    assert client_of(alice).get(page).status_code == 200
    assert client_of(bob).get(page).status_code == 200
    assert client_of(charlie).get(page).status_code == 404


@pytest.mark.parametrize("name", ["document", "document_status", "preview"])
def test_readers_see_the_document_and_strangers_do_not(name, client_of, alice, bob, charlie, note):
    page = address(name, note)
    assert client_of(alice).get(page).status_code == 200
    assert client_of(bob).get(page).status_code == 200
    assert client_of(charlie).get(page).status_code == 404


@pytest.mark.parametrize("name", ["access", "settings"])
def test_only_those_who_may_change_a_collection_see_how(
    name, client_of, alice, bob, charlie, shared
):
    page = address(name, shared)
    assert client_of(alice).get(page).status_code == 200
    assert client_of(bob).get(page).status_code == 404
    assert client_of(charlie).get(page).status_code == 404


@pytest.mark.parametrize("name", ["upload", "delete"])
def test_readers_cannot_write_to_a_collection(name, client_of, bob, charlie, shared):
    for person in (bob, charlie):
        assert client_of(person).post(address(name, shared), {"name": "x"}).status_code == 404


@pytest.mark.parametrize("name", ["reindex", "delete_document"])
def test_readers_cannot_change_a_document(name, client_of, bob, charlie, note):
    for person in (bob, charlie):
        assert client_of(person).post(address(name, note)).status_code == 404
    assert Document.objects.filter(pk=note.pk).exists()


def test_who_is_not_signed_in_is_sent_to_the_door(client, note):
    answer = client.get(address("document", note))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_collection_is_made_and_shown(client_of, alice):
    answer = client_of(alice).post(reverse("knowledge:home"), {"name": "Maths", "description": ""})
    made = Collection.objects.get(name="Maths")
    assert answer["Location"] == address("collection", made)
    assert made.owner == alice
    assert b"Maths" in client_of(alice).get(reverse("knowledge:home")).content


def test_a_nameless_collection_is_refused_with_the_reason(client_of, alice):
    answer = client_of(alice).post(reverse("knowledge:home"), {"name": " "})
    assert answer.status_code == 200
    assert b"data-show" in answer.content
    assert not Collection.objects.exists()


def test_the_same_bytes_are_one_document(client_of, alice, handbook):
    first, second = (
        client_of(alice).post(
            address("upload", handbook), {"file": SimpleUploadedFile("a.md", TEXT.encode())}
        )
        for _ in range(2)
    )
    assert (first.status_code, first.json()["is_new"]) == (202, True)
    assert (second.status_code, second.json()["is_new"]) == (202, False)
    assert Document.objects.get().pk == Document.objects.get(pk=first.json()["id"]).pk


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({}, 400, "no file"),
        ({"file": SimpleUploadedFile("a.exe", b"MZ\x90\x00")}, 422, "cannot be read"),
        ({"file": SimpleUploadedFile("a.pdf", b"not a pdf")}, 422, "disagree"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(client_of, alice, handbook, form, status, words):
    answer = client_of(alice).post(address("upload", handbook), form)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_the_cited_range_is_marked_and_nothing_else(client_of, bob, note):
    text = note.extracted.text
    start = text.index("Four weeks")
    query = f"?start={start}&end={start + 10}"
    page = client_of(bob).get(address("document", note) + query).content.decode()
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", page) == ["Four weeks"]
    assert 'id="passage"' in page


def test_the_text_of_a_document_is_never_markup(client_of, alice, handbook, add_text):
    evil = add_text(handbook, "Beware of <img src=x onerror=alert(1)> here.", "evil.txt")
    page = client_of(alice).get(address("document", evil)).content.decode()
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.parametrize(
    "query", ["?start=5", "?start=9&end=2", "?start=x&end=y", "?start=9999&end=99999"]
)
def test_a_range_that_is_not_there_says_so(client_of, bob, note, query):
    answer = client_of(bob).get(address("document", note) + query)
    assert answer.status_code == 200
    assert b"no longer in this document" in answer.content


def test_documents_are_filtered_and_paged(client_of, alice, handbook, add_text):
    for n in range(3):
        add_text(handbook, f"Text number {n}", f"file {n}.md")
    rows = client_of(alice).get(address("documents", handbook) + "?q=FILE 1").content.decode()
    assert rows.count("data-document=") == 1
    rows = client_of(alice).get(address("documents", handbook) + "?status=failed").content.decode()
    assert "No document matches" in rows
    rows = client_of(alice).get(address("documents", handbook) + "?cursor=nonsense")
    assert rows.content.decode().count("data-document=") == 3


def test_an_empty_page_of_never_cited_documents_says_that_there_may_be_more(
    client_of, alice, handbook, add_text, monkeypatch
):
    looks_further = "All documents looked at so far are cited"
    for n in range(3):
        add_text(handbook, f"Text number {n}", f"{n}.md")
    newest = Document.objects.filter(file_name__in=("1.md", "2.md"))
    cited = set(newest.values_list("pk", flat=True))
    monkeypatch.setattr(documents, "STRETCH", 1)
    monkeypatch.setattr(documents, "STRETCHES", 1)
    monkeypatch.setattr(documents, "is_cited", lambda _field: Q(pk__in=cited))
    client, place = client_of(alice), address("documents", handbook) + "?list=uncited"
    rows, told = client.get(place).content.decode(), []
    while found := re.search(r"cursor=([^\"&]+)", rows):
        told.append((looks_further in rows, "No document matches" in rows))
        rows = client.get(f"{place}&cursor={unescape(found[1])}").content.decode()
    assert told == [(True, False)] * 2
    assert rows.count("data-document=") == 1
    assert looks_further not in rows
    cited |= set(Document.objects.values_list("pk", flat=True))
    monkeypatch.setattr(documents, "STRETCHES", 5)
    rows = client.get(place).content.decode()
    assert "No document matches" in rows
    assert looks_further not in rows
    assert "Show more" not in rows


def test_progress_redraws_the_rows_that_were_in_work_and_says_when_all_is_done(
    client_of, alice, note
):
    url = address("progress", note.collection) + f"?active={note.pk}&active=nonsense"
    answer = client_of(alice).get(url, headers=HTMX)
    assert f'id="document-{note.pk}"' in answer.content.decode()
    assert "Indexing is finished" in answer["HX-Trigger"]
    assert b"every 1s" not in answer.content


def test_deleting_refreshes_the_list(client_of, alice, note):
    answer = client_of(alice).post(address("delete_document", note), headers=HTMX)
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "documents-changed")
    assert not note.collection.documents.exists()


def test_reindexing_queues_the_document_again(client_of, alice, note):
    client_of(alice).post(address("reindex", note))
    note.refresh_from_db()
    assert note.status == Document.Status.QUEUED


def test_a_collection_is_deleted_only_by_its_name(client_of, alice, handbook):
    answer = client_of(alice).post(address("delete", handbook), {"name": "Handbok"})
    assert "Nothing was deleted" in answer.content.decode()
    assert (
        client_of(alice).post(address("delete", handbook), {"name": "Handbook"}).status_code == 302
    )
    assert not Collection.objects.exists()


def test_sharing_by_address_changing_the_role_and_taking_it_back(
    client_of, alice, charlie, handbook
):
    owner, page = client_of(alice), address("access", handbook)
    owner.post(page, {"email": "CHARLIE@example.org", "role": "reader"})
    assert client_of(charlie).get(address("collection", handbook)).status_code == 200
    owner.post(page, {"email": charlie.email, "role": "editor"})
    grant = Grant.objects.get()
    assert grant.role == Grant.Role.EDITOR
    owner.post(reverse("knowledge:revoke", args=[handbook.pk, grant.pk]))
    assert client_of(charlie).get(address("collection", handbook)).status_code == 404


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "nobody@example.org", "role": "reader"}, "Nobody here has this address"),
        ({"role": "reader"}, "one of the two"),
        ({"email": "alice@example.org", "role": "reader"}, "has every right already"),
    ],
)
def test_a_grant_that_makes_no_sense_is_explained(client_of, alice, handbook, form, words):
    answer = client_of(alice).post(address("access", handbook), form)
    assert words in answer.content.decode()
    assert not Grant.objects.exists()


def test_search_shows_hits_and_why_only_of_what_is_visible(client_of, bob, charlie, note):
    url = reverse("knowledge:search") + "?q=how many weeks of notice"
    page = client_of(bob).get(url).content.decode()
    assert "<b>notice</b>" in page
    assert "rank 1" in page
    assert "Nothing fits" in client_of(charlie).get(url).content.decode()
    part = client_of(bob).get(url, headers=HTMX).content.decode()
    assert "<html" not in part
