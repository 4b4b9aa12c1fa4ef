"""Real repositories: over the wire and on the disk, from commit to commit."""

import resource
import time
from ipaddress import ip_network
from pathlib import Path

import pytest

from knowledge.models import Collection, SourceItem, SyncRun
from knowledge.sources import memory, services
from knowledge.sources.places import repository_of
from tests.knowledge.sources.conftest import Add, counts, titles, visit
from tests.knowledge.sources.repository import commit, make_repository, serve_git
from tests.knowledge.sources.test_folder import know_all
from tests.support.web import SITE, listen, page, redirect, serve

pytestmark = pytest.mark.django_db

START = {"README.md": "# Read me\n\nTea.", "docs/a.md": "About a.", "docs/b.md": "About b.",
         "run.xyz": "binary"}  # fmt: skip


@pytest.fixture
def internet(settings) -> None:
    """One address of loopback stands for the internet."""
    settings.PARLEY_SOURCE_NETWORKS = (ip_network(f"{SITE}/32"),)


def test_commits_are_followed_over_http(
    internet: None, tmp_path: Path, add: Add, handbook: Collection
):
    repository = make_repository(tmp_path / "docs.git")
    first = commit(repository, START)
    with serve_git(repository, "opensesame") as (address, heard):
        source = add("git", address=address, secret="opensesame")
        run = visit(source)
        assert (run.status, run.reason) == (SyncRun.Status.SUCCEEDED, "")
        assert counts(run) == (3, 0, 0, 0, 1)
        assert titles(handbook) == ["README.md", "docs/a.md", "docs/b.md"]
        assert source.items.get(external_id="docs/a.md").commit == first

        del heard[:]
        assert counts(visit(source)) == (0, 0, 4, 0, 0)
        assert not any("git-upload-pack" in path for path in heard[2:])  # nothing was sent again

        second = commit(repository, {**START, "docs/a.md": "About a, better.", "new.md": "New."})
        assert counts(visit(source)) == (1, 1, 3, 0, 0)
        changed = source.items.get(external_id="docs/a.md")
        assert changed.commit == second
        commit(repository, {"new.md": "New."})
        assert counts(visit(source)) == (0, 0, 1, 4, 0)
        commit(repository, {"new.md": "New.", "docs/b.md": "About b."})
        assert counts(visit(source)) == (1, 0, 1, 0, 0)
        source.refresh_from_db()
        assert source.items.get(external_id="docs/b.md").state == SourceItem.State.PRESENT

        # The copy has the whole history, for tools to come.
        from dulwich.repo import Repo  # noqa: PLC0415

        with Repo(str(repository_of(source.pk))) as copy:
            assert len(list(copy.get_walker())) == 4


def test_branches_paths_and_what_is_no_file(root: Path, add: Add, handbook: Collection):
    repository = make_repository(root / "docs.git")
    commit(repository, {"a.md": "Master."})
    commit(
        repository,
        {"docs/x.md": "X.", "docs/y.txt": "Y.", "src/z.md": "Z.", "docs/link.md": "/etc/passwd"},
        "work", **{"link.md": 0o120000},
    )  # fmt: skip
    source = add("git", address=str(root / "docs.git"), branch="work", include=["docs/**"])
    assert counts(visit(source)) == (2, 0, 0, 0, 0)
    services.update_source(
        source.added_by, source,
        settings={"address": str(root / "docs.git"), "branch": "work", "include": ["*.md"]},
    )  # fmt: skip
    source.refresh_from_db()
    assert counts(visit(source)) == (1, 0, 1, 1, 0)
    lost = add("git", address=str(root / "docs.git"), branch="nowhere")
    assert "nowhere" in visit(lost).reason


def test_what_failed_is_tried_again_without_a_new_commit(root: Path, add: Add, settings):
    repository = make_repository(root / "docs.git")
    commit(repository, {"big.md": "Tea. " * 300_000, "small.md": "Tea."})
    settings.PARLEY_MAX_UPLOAD_MB = 1
    source = add("git", address=str(root / "docs.git"))
    assert counts(visit(source)) == (1, 0, 0, 0, 1)
    settings.PARLEY_MAX_UPLOAD_MB = 50
    assert counts(visit(source)) == (0, 0, 2, 0, 0)
    assert counts(visit(source, is_full=True)) == (1, 0, 1, 0, 0)


def test_servers_that_are_no_git_or_lead_elsewhere(internet: None, add: Add):
    with listen() as canary:
        pages = {
            "/page/info/refs": page(b"<html>"),
            "/moved/info/refs": redirect(f"http://127.0.0.1:{canary.port}/inside/info/refs"),
            "/closed/info/refs": page(b"", status=401),
        }
        with serve(pages) as site:
            for path, words in (
                ("/page", "no git repository"),
                ("/moved", "has moved"),
                ("/closed", "credentials"),
                ("/missing", "no git repository"),
            ):
                run = visit(add("git", address=site.at(path), secret="hush-hush-hush-hush"))
                assert run.status == SyncRun.Status.FAILED
                assert words in run.reason
        run = visit(add("git", address=f"http://127.0.0.1:{canary.port}/x.git"))
        assert run.status == SyncRun.Status.FAILED
        assert canary.connections == []


def test_credentials_do_not_follow_an_address(internet: None, add: Add):
    source = add("git", address=f"http://{SITE}:8080/a.git", secret="opensesame-opensesame")
    same = {"address": f"http://{SITE}:8080/b.git"}
    services.update_source(source.added_by, source, settings=same)
    source.refresh_from_db()
    assert source.secret is not None
    assert source.secret_hint == "…same"
    other = {"address": f"http://{SITE}:9090/b.git"}
    services.update_source(source.added_by, source, settings=other)
    source.refresh_from_db()
    assert (source.secret, source.secret_hint) == (None, "")


def test_a_repository_that_borrows_objects_is_not_read(root: Path, tmp_path: Path, add: Add):
    secret = make_repository(tmp_path / "secret.git")
    commit(secret, {"key.md": "The key."})
    thief = make_repository(root / "thief.git")
    info = root / "thief.git/objects/info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text(f"{tmp_path}/secret.git/objects\n")
    thief.refs[b"refs/heads/master"] = secret.refs[b"refs/heads/master"]
    run = visit(add("git", address=str(root / "thief.git")))
    assert (run.status, run.added) == (SyncRun.Status.FAILED, 0)
    (root / "link.git").mkdir()
    (root / "link.git/.git").write_text(f"gitdir: {tmp_path}/secret.git\n")
    assert visit(add("git", address=str(root / "link.git"))).status == SyncRun.Status.FAILED


@pytest.mark.parametrize("files", [1000, pytest.param(10_000, marks=pytest.mark.chaos)])
def test_an_unchanged_repository_costs_a_few_queries(
    files: int, root: Path, add: Add, django_assert_max_num_queries
):
    repository = make_repository(root / "docs.git")
    commit(repository, {f"{n % 40}/{n}.md": f"Text {n}." for n in range(files)})
    source = add("git", address=str(root / "docs.git"))
    know_all(source, root)
    for is_first in (True, False):  # compared blob by blob, then commit by commit
        began = time.monotonic()
        with django_assert_max_num_queries(60 + files // 25 if is_first else 60):
            run = visit(source)
        assert counts(run) == (0, 0, files, 0, 0)
        assert time.monotonic() - began < 30


def test_a_pack_that_unpacks_to_more_than_is_allowed_ends_as_a_reason(
    tmp_path: Path, root: Path, add: Add, monkeypatch
):
    repository = make_repository(root / "bomb.git")
    commit(repository, {"a.md": "Small.", "zeros.txt": b"0" * 300_000_000})
    monkeypatch.setattr(memory, "MOST_BYTES", 100_000_000)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    run = visit(add("git", address=str(root / "bomb.git")))
    assert run.status == SyncRun.Status.FAILED
    assert "memory" in run.reason
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    good = make_repository(root / "good.git")
    commit(good, {"a.md": "Small."})
    assert counts(visit(add("git", address=str(root / "good.git"))))[0] == 1
