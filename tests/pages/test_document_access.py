"""The page of who reads one document, and all that an outsider or a reader may not be told."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import services as accounts
from accounts.models import User
from chat.search.jump import find_targets
from chat.starters import list_starters
from knowledge import services
from knowledge.document_access import services as access
from knowledge.models import Collection, Document
from knowledge.quality.approved import approve, find_approved
from knowledge.quality.selectors import list_questions
from knowledge.quality.services import Expectation, add_question
from knowledge.windows import read_window
from security.models import AuditEntry
from tests.knowledge.conftest import AddText

pytestmark = pytest.mark.django_db
SECRET = "Project Zanzibar is sold in May"
HOME = "Boardroom papers"


@pytest.fixture
def papers(alice: User) -> Collection:

    return services.create_collection(alice, HOME, "What the board decides")


@pytest.fixture
def deal(papers: Collection, add_text: AddText) -> Document:
    add_text(papers, "# Garden\n\nThe garden is closed in winter, says the other document.", "a.md")
    return add_text(papers, f"# Deal\n\n{SECRET}. The garden is not part of it.", "deal.md")


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def told(client: Client, document: Document, papers: Collection) -> dict[str, Any]:
    """What every way of asking answers, as text."""
    api = "/api/v1"
    post = {"content_type": "application/json"}
    search = {"query": "Zanzibar garden sold", "limit": 50}
    answers = {
        "home": client.get("/knowledge/"),
        "shared": client.get("/knowledge/shared/"),
        "collection": client.get(f"/knowledge/{papers.pk}/"),
        "page": client.get(f"/knowledge/documents/{document.pk}/"),
        "text": client.get(f"/knowledge/documents/{document.pk}/?view=text"),
        "passages": client.get(f"/knowledge/documents/{document.pk}/passages"),
        "versions": client.get(f"/knowledge/documents/{document.pk}/versions/"),
        "search page": client.get("/knowledge/search/?q=Zanzibar"),
        "documents": client.get(f"{api}/documents"),
        "in it": client.get(f"{api}/documents?collection={papers.pk}"),
        "collections": client.get(f"{api}/collections"),
        "one": client.get(f"{api}/documents/{document.pk}"),
        "chunks": client.get(f"{api}/documents/{document.pk}/chunks"),
        "passage": client.get(f"{api}/documents/{document.pk}/passage?start=0&end=9"),
        "search": client.post(f"{api}/search", search, **post),
        "jump": client.get(f"{api}/jump?q=deal"),
        "golden": client.get(f"{api}/collections/{papers.pk}/golden-questions"),
        "approved": client.get(f"{api}/collections/{papers.pk}/approved-answers"),
        "indexing": client.get(f"{api}/collections/{papers.pk}/indexing"),
        "state": client.get(f"{api}/collections/{papers.pk}"),
        "export": client.get(f"{api}/documents/{document.pk}/versions"),
    }
    file = client.get(f"{api}/documents/{document.pk}/file")
    body = b"".join(file.streaming_content) if file.streaming else file.content
    return {name: (a.status_code, a.content.decode()) for name, a in answers.items()} | {
        "file": (file.status_code, body.decode())
    }


def test_who_has_one_document_sees_it_and_nothing_of_its_collection(alice, charlie, papers, deal):
    access.share(alice, deal.pk, charlie)
    seen = told(browser(charlie), deal, papers)
    for name in ("page", "text", "chunks", "search", "file", "passages"):
        assert seen[name][0] == 200, name
        assert "Zanzibar" in seen[name][1], name
    for name in ("shared", "one", "documents", "versions", "jump"):
        assert seen[name][0] == 200, name
        assert "Deal" in seen[name][1], name
    for name in ("collection", "in it", "golden", "approved", "indexing", "state"):
        assert seen[name][0] == 404, name
    for name, (_status, body) in seen.items():
        assert HOME not in body, name
        assert str(papers.pk) not in body, name
        assert "says the other document" not in body, name
        assert "What the board decides" not in body, name
    assert json.loads(seen["collections"][1])["items"] == []
    assert json.loads(seen["one"][1])["collection_id"] == str(deal.pk)
    assert [one["collection_id"] for one in json.loads(seen["search"][1])["passages"]] == [
        str(deal.pk)
    ]
    assert "Shared documents" in seen["home"][1]
    assert "Shared documents" in seen["page"][1]
    for way in ("curation/", "access/"):
        assert browser(charlie).get(f"/knowledge/documents/{deal.pk}/{way}").status_code == 404
    assert read_window(charlie, deal.pk, 0, 100).collection_id == deal.pk


def test_a_restricted_document_is_nowhere_for_other_readers(alice, bob, charlie, papers, deal):
    accounts.share(papers, bob, "reader", by=alice)
    question = add_question(
        alice, papers, "When is Zanzibar sold?", expected=[Expectation(deal.pk, SECRET)]
    )
    approve(
        alice, papers, "When is it sold?", "Zanzibar is sold in May.",
        sources=[Expectation(deal.pk)],
    )  # fmt: skip
    before = told(browser(bob), deal, papers)
    assert "Zanzibar" in before["golden"][1]
    assert json.loads(before["state"][1])["document_count"] == 2
    access.restrict(alice, deal.pk, is_restricted=True)
    seen = told(browser(bob), deal, papers)
    for name in ("page", "text", "one", "chunks", "file", "passage", "versions", "passages"):
        assert seen[name][0] == 404, name
    for name, (_status, body) in seen.items():
        if name not in ("search page",):  # it says again what was asked
            assert "Zanzibar" not in body, name
        assert str(deal.pk) not in body, name
        assert "deal.md" not in body, name
    assert json.loads(seen["state"][1])["document_count"] == 1
    assert json.loads(seen["indexing"][1])["done"] == 1
    assert find_approved(bob, "When is it sold?") is None
    assert find_approved(alice, "When is it sold?") is not None
    assert question not in list(list_questions(bob, papers.pk))
    assert not [target for target in find_targets(bob, "deal") if target.kind == "document"]
    assert all("Deal" not in one.question for one in list_starters(bob))
    # Nor is what it says found out by asking whether it says so.
    expected = [{"document": str(deal.pk), "quote": SECRET}]
    place = f"/api/v1/collections/{papers.pk}/golden-questions"
    body = {"question": "So when?", "expected": expected}
    hidden = browser(bob).post(place, body, content_type="application/json")
    body["expected"] = [{"document": str(papers.pk), "quote": SECRET}]
    nothing = browser(bob).post(place, body, content_type="application/json")
    assert hidden.status_code == nothing.status_code == 422
    assert hidden.json()["detail"] == nothing.json()["detail"]
    # An owner sees all of it, and is told the collection of it.
    owner = told(browser(alice), deal, papers)
    assert json.loads(owner["state"][1])["document_count"] == 2
    found = json.loads(owner["search"][1])["passages"]
    assert {one["collection_id"] for one in found} == {str(papers.pk)}
    assert HOME in owner["page"][1]


def test_the_page_shares_restricts_and_tells(alice, bob, charlie, papers, deal):
    accounts.share(papers, bob, "reader", by=alice)
    client, place = browser(alice), f"/knowledge/documents/{deal.pk}/access/"
    assert 'href="' + place in client.get(f"/knowledge/documents/{deal.pk}/").content.decode()
    refused = client.post(place, {"email": "nobody@example.org"})
    assert "Nobody here has this address" in refused.content.decode()
    assert client.post(place, {"email": charlie.email}).status_code == 302
    assert client.post(f"{place}restrict", {"restricted": "1"}).status_code == 302
    shown = client.get(place).content.decode()
    assert charlie.email in shown
    readers = shown[shown.index('id="viewers-title"') :]
    assert "Charlie" in readers
    assert "Bob" not in readers
    for who, is_seen in ((charlie, True), (bob, False), (alice, True)):
        assert client.get(f"{place}?as={who.pk}").context["is_seen"] is is_seen
    assert client.get(f"{place}?as=nobody").context["is_seen"] is False
    assert client.get(f"{place}?as={deal.pk}").status_code == 404
    grant = client.get(place).context["grants"][0]
    assert client.post(f"{place}{grant.pk}/revoke").status_code == 302
    assert browser(charlie).get(f"/knowledge/documents/{deal.pk}/").status_code == 404
    assert client.post(f"{place}restrict", {"restricted": "0"}).status_code == 302
    assert browser(bob).get(f"/knowledge/documents/{deal.pk}/").status_code == 200
    acts = [entry.act for entry in AuditEntry.objects.order_by("pk")]
    for act in ("grant.given", "document.restricted", "grant.taken", "document.opened"):
        assert act in acts
    assert not AuditEntry.objects.filter(title__contains="Deal").exists()


def test_programs_do_the_same(alice, bob, charlie, papers, deal, team):
    client, place = browser(alice), f"/api/v1/documents/{deal.pk}"
    json_body = {"content_type": "application/json"}
    given = client.put(f"{place}/grants", {"email": charlie.email}, **json_body)
    assert given.status_code == 200
    by_team = client.put(f"{place}/grants", {"team": str(team.pk)}, **json_body)
    assert by_team.json()["name"] == team.name
    told_now = client.put(f"{place}/access", {"restricted": True}, **json_body).json()
    assert told_now["restricted"] is True
    assert {one["email"] for one in told_now["readers"]["people"]} == {
        alice.email, bob.email, charlie.email,
    }  # fmt: skip
    shared = browser(charlie).get("/api/v1/documents?list=shared").json()["items"]
    assert [one["id"] for one in shared] == [str(deal.pk)]
    assert client.get("/api/v1/documents?list=shared").json()["items"] == []
    assert client.delete(f"{place}/grants/{given.json()['id']}").status_code == 204
    assert browser(charlie).get(place).status_code == 404
    both = client.put(f"{place}/grants", {"email": bob.email, "team": str(team.pk)}, **json_body)
    assert both.status_code == 422
