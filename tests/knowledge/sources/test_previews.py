"""What a source would bring, before its first visit: of every kind that is visited."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from knowledge.models import Collection, Source, SyncRun
from tests.knowledge.sources.conftest import Add, counts, titles, visit
from tests.knowledge.sources.repository import commit, make_repository
from tests.knowledge.sources.test_web import html
from tests.support.web import SITE, page, serve

pytestmark = pytest.mark.django_db
FILES = {"a.md": "About a.", "b.md": "About b.", "c.xyz": "Nothing to read."}


@pytest.fixture(params=["folder", "git", "web", "feed"])
def source(request, root: Path, add: Add, settings) -> Iterator[Source]:
    """Of two items that would come and one that would not."""
    settings.PARLEY_SOURCE_NETWORKS = (ip_network(f"{SITE}/32"),)
    if request.param == "folder":
        for name, text in FILES.items():
            (root / name).write_text(text)
        yield add("folder", path=str(root))
        return
    if request.param == "git":
        commit(make_repository(root / "docs.git"), FILES)
        yield add("git", address=str(root / "docs.git"))
        return
    entries = "".join(
        f"<item><guid isPermaLink='false'>{name}</guid><title>{name}</title>"
        f"<description>{name}</description></item>"
        for name in ("a.md", "b.md")
    )
    nameless = "<item><description>Nobody knows it again.</description></item>"
    feed = f"<rss version='2.0'><channel>{entries}{nameless}</channel></rss>"
    pages = {
        "/": page(html("a.md", "About a.", "/b", "/broken")),
        "/b": page(html("b.md", "About b.")),
        "/broken": page(b"", status=500),
        "/feed": page(feed.encode(), "application/rss+xml"),
    }
    with serve(pages) as site:
        path = "/" if request.param == "web" else "/feed"
        yield add(request.param, address=site.at(path), pause_seconds=0.1)


def test_a_preview_says_what_would_come_and_stores_nothing(source: Source, handbook: Collection):
    run = visit(source, is_preview=True)
    assert (run.status, run.reason) == (SyncRun.Status.SUCCEEDED, "")
    assert (run.added, run.failed) == (2, 1)
    assert sorted(bool(entry["reason"]) for entry in run.sample) == [False, False, True]
    assert {"a.md", "b.md"} <= {entry["item"] for entry in run.sample}
    assert not source.items.exists()
    assert not titles(handbook)
    source.refresh_from_db()
    assert (source.cursor, source.next_run_at) == ({}, None)
    assert counts(visit(source)) == (2, 0, 0, 0, 1)
    assert titles(handbook) == ["a.md", "b.md"]
