"""What a collection takes of the disk, as its page and programs are told."""

from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from knowledge.models import Collection, Document, DocumentVersion
from tests.knowledge.conftest import run_job
from tests.knowledge.sources.conftest import Add, visit
from tests.knowledge.sources.repository import commit, make_repository

pytestmark = pytest.mark.django_db
HALF = 384 * 2  # bytes of a vector


def test_storage_is_told_by_what_it_is_for(
    root: Path, add: Add, handbook: Collection, admin: User, api_for, client: Client
):
    place = f"/collections/{handbook.pk}/search-index"
    assert api_for(admin).get(place).json()["bytes"]["total"] == 0
    repository = make_repository(root / "docs.git")
    commit(repository, {"a.md": "Four weeks of notice."})
    source = add("git", address=str(root / "docs.git"))
    visit(source)
    document = Document.objects.get(collection=handbook)
    run_job(document)
    before = api_for(admin).get(place).json()["bytes"]
    assert (before["files"], before["versions"]) == (document.size, 0)
    assert HALF <= before["vectors"] < 2 * HALF
    assert before["repositories"] > 100
    assert before["texts"] > document.size

    commit(repository, {"a.md": "Six weeks of notice, since May."})
    visit(source)
    run_job(Document.objects.get(pk=document.pk))
    document.refresh_from_db()
    after = api_for(admin).get(place).json()["bytes"]
    assert after["files"] == document.size
    assert after["versions"] == DocumentVersion.objects.get().size
    parts = [value for name, value in after.items() if name != "total"]
    assert after["total"] == sum(parts)
    client.force_login(admin)
    page = client.get(f"/knowledge/{handbook.pk}/search-index/").content.decode()
    assert "Storage used" in page
    assert "Copies of repositories" in page
