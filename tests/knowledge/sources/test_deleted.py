"""What people deleted here stays away, is seen, and comes back when somebody says so."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from knowledge import discarding
from knowledge.models import Collection, Document, Source, SourceItem
from tests.knowledge.sources.conftest import Add, counts, titles, visit, work
from tests.knowledge.sources.repository import commit, make_repository
from tests.knowledge.sources.test_sync_command import sync
from tests.knowledge.sources.test_web import conditional, html
from tests.support.web import SITE, serve

pytestmark = pytest.mark.django_db

State = SourceItem.State


@pytest.fixture(params=["folder", "git", "web"])
def source(request, root: Path, add: Add, settings) -> Iterator[Source]:
    """Of one item: looked at anew, by what differs, and by its ETag."""
    settings.PARLEY_SOURCE_NETWORKS = (ip_network(f"{SITE}/32"),)
    if request.param == "folder":
        (root / "a.md").write_text("Tea.")
        yield add("folder", path=str(root))
    elif request.param == "git":
        commit(make_repository(root / "docs.git"), {"a.md": "Tea."})
        yield add("git", address=str(root / "docs.git"))
    else:
        with serve({"/a.md": conditional(html("a.md", "Tea."), '"one"')}) as site:
            yield add("web", address=site.at("/a.md"), reach="page", pause_seconds=0.1)


def test_what_was_deleted_here_comes_back_when_it_is_asked_for(
    source: Source, handbook: Collection, admin: User, client: Client
):
    assert counts(visit(source)) == (1, 0, 0, 0, 0)
    discarding.discard(Document.objects.get(collection=handbook))
    assert counts(visit(source)) == (0, 0, 1, 0, 0)
    assert source.items.get().state == State.LEFT_OUT
    client.force_login(admin)
    place = f"/knowledge/sources/{source.pk}/"
    assert "Deleted here" in client.get(place).content.decode()
    assert client.post(f"{place}act", {"action": "deleted"}).status_code == 302
    assert counts(work(source.runs.get(status="queued"))) == (1, 0, 0, 0, 0)
    assert source.items.get().state == State.PRESENT
    assert titles(handbook) == ["a.md"]
    assert "Deleted here" not in client.get(place).content.decode()
    assert counts(visit(source)) == (0, 0, 1, 0, 0)


def test_programs_and_the_terminal_ask_for_it_too(
    source: Source, handbook: Collection, admin: User, api_for
):
    """Also before a visit has noticed that it was deleted."""
    visit(source)
    for ask in (
        lambda: api_for(admin).post(f"/sources/{source.pk}/sync", {"with_deleted": True}),
        lambda: sync("It", with_deleted=True),
    ):
        discarding.discard(Document.objects.get(collection=handbook))
        ask()
        assert counts(work(source.runs.get(status="queued"))) == (1, 0, 0, 0, 0)
        assert titles(handbook) == ["a.md"]
