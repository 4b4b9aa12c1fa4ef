"""The page of a document says which source has it, and whether it is still there."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from knowledge import services
from knowledge.models import Collection, Document
from tests.knowledge.files import as_stream
from tests.knowledge.sources.conftest import Add, visit
from tests.knowledge.sources.repository import commit, make_repository
from tests.knowledge.sources.test_web import html
from tests.support.web import SITE, page, serve

pytestmark = pytest.mark.django_db


def seen(user: User, document: Document) -> str:
    client = Client()
    client.force_login(user)
    return client.get(f"/knowledge/documents/{document.pk}/").content.decode()


def test_a_file_of_a_repository(root: Path, add: Add, handbook: Collection, admin: User, bob: User):
    share(handbook, bob, Grant.Role.READER, by=admin)
    uploaded, _ = services.add_document(admin, handbook, as_stream("Coffee."), "mine.md")
    repository = make_repository(root / "docs.git")
    first = commit(repository, {"docs/a.md": "Tea.", "b.md": "Coffee."})
    source = add("git", address=str(root / "docs.git"))
    visit(source)
    document = Document.objects.get(collection=handbook, title="docs/a.md")
    told = seen(admin, document)
    assert "Where it comes from" in told
    assert f'<a href="/knowledge/sources/{source.pk}/">It</a>' in told
    assert '<span class="clip">docs/a.md</span>' in told
    assert f"commit {first[:10]}" in told
    assert "does not remove it" not in told
    assert "does not remove it" in seen(admin, uploaded)
    for one in (document, uploaded):
        assert "Where it comes from" not in seen(bob, one)
        assert str(source.pk) not in seen(bob, one)
    commit(repository, {"new.md": "New."})
    visit(source)
    assert "gone there " in seen(admin, document)
    assert "stays here until" in seen(admin, document)
    assert "gone there " in seen(admin, uploaded)
    assert "stays here until" not in seen(admin, uploaded)


def test_a_page_of_a_site(add: Add, handbook: Collection, admin: User, settings):
    settings.PARLEY_SOURCE_NETWORKS = (ip_network(f"{SITE}/32"),)
    pages = {"/a": page(html("A", "About a."))}
    with serve(pages) as site:
        source = add("web", address=site.at("/a"), reach="page", pause_seconds=0.1)
        visit(source)
        document = Document.objects.get(collection=handbook)
        assert f'data-url="{site.at("/a")}"' in seen(admin, document)
        pages["/a"] = page(b"", status=500)
        visit(source)
    told = seen(admin, document)
    assert "not renewed" in told
    assert "The site answered 500." in told
