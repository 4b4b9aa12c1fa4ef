"""The page of a document and what its viewers ask for; alice owns, bob reads, charlie is nobody."""

from importlib import import_module
from io import BytesIO

import pytest
from django.db import connection
from django.urls import reverse

from knowledge import services
from knowledge.models import Document, DocumentText, Stage
from tests.knowledge.conftest import run_job
from tests.support import papers

HTMX = {"HX-Request": "true"}
TEXT = "# Leave\n\nFour **weeks** of notice.\n\n- one\n- two\n"


@pytest.fixture
def paper(shared, alice) -> Document:
    made, _ = services.add_document(alice, shared, BytesIO(papers.rotated()), "turned.pdf")
    return run_job(made)


def address(name: str, document: Document, query: str = "") -> str:
    return f"{reverse(f'knowledge:{name}', args=[document.pk])}?{query}"


def span(document: Document, words: str) -> str:
    start = document.extracted.text.index(words)
    return f"at={start}-{start + len(words)}"


def test_a_pdf_is_shown_by_its_pages_and_as_stored_text(client_of, bob, paper):
    at = span(paper, "four weeks ahead")
    page = client_of(bob).get(address("document", paper, at)).content.decode()
    assert f'data-file="/api/v1/documents/{paper.pk}/file"' in page
    assert '"quote": "four weeks ahead"' in page
    assert f'href="?view=text&amp;{at}"' in page
    text = client_of(bob).get(address("document", paper, f"view=text&{at}"), headers=HTMX)
    assert '<mark id="passage" tabindex="-1">four weeks ahead</mark>' in text.content.decode()
    assert "<html" not in text.content.decode()
    assert DocumentText.objects.get(document=paper).layout is None


def test_places_are_told_to_those_who_may_read_them(client_of, bob, charlie, paper):
    url = address("places", paper, f"{span(paper, 'four weeks')}&at=999999-1000000&at=9-3&at=x")
    [place] = client_of(bob).get(url).json()["places"]
    assert (place["quote"], place["page"]) == ("four weeks", 1)  # the passage begins there
    assert place["before"].endswith("handed in ")
    assert place["after"].startswith(" ahead")
    assert client_of(charlie).get(url).status_code == 404


def test_what_a_file_looked_like_is_drawn_and_a_span_that_is_gone_told(
    client_of, alice, shared, add_text
):
    note = add_text(shared, TEXT, "leave.md")
    page = client_of(alice).get(address("document", note, "at=7-11")).content.decode()
    assert "Four</mark> <strong>weeks</strong> of notice" in page
    assert '<ul class="items" role="list">' in page
    beyond = client_of(alice).get(address("document", note, "at=5000-5010")).content.decode()
    assert "no longer in this document" in beyond
    DocumentText.objects.filter(document=note).update(layout=None)  # indexed before layouts
    older = client_of(alice).get(address("document", note)).content.decode()
    assert '<ul class="items"' not in older
    assert "- one" in older


def test_what_was_read_before_pictures_were_looked_for_says_so_until_it_is_indexed_again(
    client_of, alice, bob, shared, add_text
):
    html = "<h1>Plan</h1><p>The {} plan.</p>"
    older, later = (add_text(shared, html.format(n), f"{n}.html") for n in ("older", "later"))
    told = "indexed before pictures inside documents were shown"
    assert told not in client_of(alice).get(address("document", older)).content.decode()
    Stage.objects.filter(document=older, name="load").update(finished_at="2020-01-01T00:00Z")
    with connection.cursor() as cursor:
        cursor.execute(import_module("knowledge.migrations.0012_figures_read").FIND)
    assert told not in client_of(alice).get(address("document", later)).content.decode()
    page = client_of(alice).get(address("document", older)).content.decode()
    assert told in page
    again = reverse("knowledge:reindex", args=[older.pk])
    assert again in page
    assert again not in client_of(bob).get(address("document", older)).content.decode()
    services.reindex_document(older)
    run_job(Document.objects.get(pk=older.pk))
    assert told not in client_of(alice).get(address("document", older)).content.decode()


def test_the_list_of_passages_comes_in_windows(client_of, bob, shared, add_text, monkeypatch):
    monkeypatch.setattr("knowledge.views.reader.LISTED", 2)
    body = "\n\n".join(f"# Part {n}\n\nWords of part {n}." for n in range(7))
    note = add_text(shared, body, "parts.md")
    at = span(note, "Words of part 5.")
    page = client_of(bob).get(address("document", note, at)).content.decode()
    assert [f"#{n}" in page for n in (2, 3, 4, 5)] == [False, True, True, False]
    more = client_of(bob).get(address("passages", note, "from=4&only=later")).content.decode()
    assert [f">#{n}<" in more for n in (4, 5, 6, 7)] == [False, True, True, False]
    assert "Earlier passages" not in more
    assert "Later passages" in more
