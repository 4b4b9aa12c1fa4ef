"""Repositories as tools: what readers of the collection may see of them, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from accounts.models import Grant
from accounts.services import share
from agents.tools.types import Taint, ToolRefused
from knowledge import discarding, services
from knowledge.document_access import services as access
from knowledge.models import Collection, Source, SourceItem
from tests.agents.tools.conftest import Call
from tests.knowledge.sources.conftest import add, admin, root, visit
from tests.knowledge.sources.repository import commit, make_repository
from tests.support.cast import SECRET_WORDS

__all__ = ["add", "admin", "root"]
pytestmark = pytest.mark.django_db(transaction=True)
FIRST = {
    "README.md": "# Tea\n\nWater, leaves.\n", "src/brew.py": "def brew():\n    return 'tea'\n",
    "deploy/.env": f"KEY={SECRET_WORDS}\n", "private/plan.md": f"{SECRET_WORDS}\n",
    "gone.md": f"Out: {SECRET_WORDS}\n",
}  # fmt: skip
SECOND = {**FIRST, "src/brew.py": "def brew(minutes):\n    return 'tea'\n", "new.md": "New.\n"}


@pytest.fixture
def shelf(alice, handbook: Collection, root: Path, add) -> dict[str, Any]:
    """A repository with two commits; its secrets are left out, and one file was taken out here."""
    repository = make_repository(root / "tea.git")
    hashes = [commit(repository, FIRST), commit(repository, SECOND)]
    hashes.append(commit(repository, {**SECOND, "private/plan.md": "Hidden work.\n"}))
    source = add("git", address=str(root / "tea.git"), exclude=["private/**"])
    visit(source)
    gone = SourceItem.objects.get(source=source, external_id="gone.md")
    services.delete_document(gone.document)
    return {"source": source, "first": hashes[0], "second": hashes[1], "third": hashes[2]}


def test_it_is_listed_read_and_searched(alice, shelf, handbook: Collection, call: Call) -> None:
    listed = call(alice, "git_list")
    assert "src/ (1 files)" in listed.text
    assert "README.md (22 bytes)" in listed.text
    assert (listed.taints, listed.readers) == (
        {Taint.UNTRUSTED, Taint.PRIVATE}, {handbook.pk},
    )  # fmt: skip
    read = call(alice, "git_read", path="src/brew.py")
    assert "1: def brew(minutes):\n2:     return 'tea'" in read.text
    assert (read.data["first"], read.data["last"]) == (1, 2)
    old = call(alice, "git_read", path="src/brew.py", revision=shelf["first"][:8])
    assert "1: def brew():" in old.text
    assert "src/brew.py:1: def brew(minutes):" in call(alice, "git_search", text="BREW").text
    window = call(alice, "git_read", path="README.md", start_line=2, line_count=1).text
    assert "2: \n… read on with start_line=3; lines: 3" in window


def test_its_history_is_told(alice, shelf, call: Call) -> None:
    log = call(alice, "git_log").text
    assert shelf["first"][:12] in log
    assert f"{shelf['second'][:12]} 2026-09-21 Ada A change" in log
    # Its last commit changed only what is left out here.
    assert shelf["third"][:12] not in log.partition("\n")[2]
    diff = call(alice, "git_diff", revision=shelf["second"]).text
    assert "-def brew():\n+def brew(minutes):" in diff
    assert "+++ b/new.md" in diff
    blame = call(alice, "git_blame", path="src/brew.py").text
    assert f"1: {shelf['second'][:12]} 2026-09-21 Ada: def brew(minutes):" in blame
    assert f"2: {shelf['first'][:12]} 2026-09-21 Ada:     return 'tea'" in blame
    assert "No such commit" in call(alice, "git_log", text="never said").text


def test_what_is_left_out_is_at_no_commit(alice, shelf, call: Call) -> None:
    said = [
        call(alice, "git_list").text,
        call(alice, "git_search", text="merger with", revision=shelf["first"]).text,
        call(alice, "git_diff", revision=shelf["first"]).text,
        call(alice, "git_log").text,
    ]
    assert not any(SECRET_WORDS in text or "gone.md" in text or ".env" in text for text in said)
    for path in ("deploy/.env", "private/plan.md", "gone.md", "nothing.md"):
        for revision in ("", shelf["first"]):
            for name in ("git_read", "git_blame"):
                with pytest.raises(ToolRefused, match=f"There is no file {path} here"):
                    call(alice, name, path=path, revision=revision)
    with pytest.raises(ToolRefused, match="Nothing that is kept here differs"):
        call(alice, "git_diff", revision=shelf["third"])


def test_what_was_taken_out_stays_out_when_the_repository_loses_it_too(
    alice, shelf, root: Path, call: Call
) -> None:
    """At once, after visits without a new commit, and when its last trace is in the history."""
    item = SourceItem.objects.get(source=shelf["source"], external_id="new.md")
    assert "New." in call(alice, "git_read", path="new.md").text
    discarding.discard(item.document)

    def refused(revision: str) -> bool:
        with pytest.raises(ToolRefused, match=r"There is no file new\.md here"):
            call(alice, "git_read", path="new.md", revision=revision)
        return "new.md" not in call(alice, "git_list", revision=revision).text

    assert refused("")
    visit(shelf["source"])
    assert SourceItem.objects.get(pk=item.pk).state == SourceItem.State.LEFT_OUT
    assert refused("")
    commit(Repo(str(root / "tea.git")), {"README.md": "All that is left."})
    visit(shelf["source"])
    assert refused("")
    assert refused(shelf["second"])


def test_an_outsider_learns_nothing(alice, charlie, shelf, handbook, call: Call) -> None:
    source: Source = shelf["source"]
    for name in ("", handbook.name, str(source.pk)):
        with pytest.raises(ToolRefused) as refused:
            call(charlie, "git_list", repository=name)
        assert str(refused.value) == "No git repository that you may read is connected."
    share(handbook, charlie, "reader", by=alice)
    assert "README.md" in call(charlie, "git_list", repository=str(source.pk)).text
    other = services.create_collection(alice, "Other")
    with pytest.raises(ToolRefused, match="No git repository"):
        call(charlie, "git_list", agent={"collections": (other.pk,)})


def test_a_repository_with_a_file_kept_from_somebody_is_none_for_them(
    alice, bob, charlie, shelf, handbook, call: Call
) -> None:
    share(handbook, bob, "editor", by=alice)
    share(handbook, charlie, "reader", by=alice)
    document = SourceItem.objects.get(source=shelf["source"], external_id="new.md").document
    access.share(alice, document.pk, charlie)  # apart, and for all readers
    assert "new.md" in call(charlie, "git_list").text
    access.unshare(alice, document.pk, Grant.objects.get(object_id=document.pk).pk)
    access.restrict(alice, document.pk, is_restricted=True)
    asked: dict[str, dict[str, Any]] = {
        "git_list": {}, "git_read": {"path": "new.md"}, "git_search": {"text": "New."},
        "git_log": {}, "git_diff": {"revision": shelf["second"]}, "git_blame": {"path": "new.md"},
    }  # fmt: skip
    for name, arguments in asked.items():
        for repository in ("", handbook.name, str(shelf["source"].pk)):
            with pytest.raises(ToolRefused) as refused:
                call(charlie, name, repository=repository, **arguments)
            assert str(refused.value) == "No git repository that you may read is connected."
        for editor in (alice, bob):
            call(editor, name, **arguments)
    document.refresh_from_db()
    services.delete_document(document)  # gone from the collection, and in the history still
    assert "new.md" not in call(charlie, "git_list").text


def test_hostile_arguments_lead_nowhere(alice, shelf, add, tmp_path: Path, call: Call) -> None:
    for path in ("../../etc/passwd", "/etc/passwd", "src/../README.md", "a\\xzz", "-rf", "\x00"):
        with pytest.raises(ToolRefused):
            call(alice, "git_read", path=path)
    source = add("git", address=str(tmp_path / "root" / "tea.git"))
    with pytest.raises(
        ToolRefused, match="Name one of the repositories: “Handbook \\(1\\)”"
    ) as many:
        call(alice, "git_list")
    assert many.value.output is not None
    assert many.value.output.taints == {Taint.UNTRUSTED, Taint.PRIVATE}
    Source.objects.filter(pk=source.pk).update(is_leaving=True)
    for revision in ("--all", "HEAD~1", "refs/heads/master", "zzzz", "abcd1234", "ab"):
        with pytest.raises(ToolRefused):
            call(alice, "git_log", revision=revision)
    with pytest.raises(ToolRefused, match="ends at line"):
        call(alice, "git_read", path="README.md", start_line=99)


def test_commits_of_other_branches_are_not_reached(
    alice, handbook: Collection, root: Path, add, call: Call
) -> None:
    repository = make_repository(root / "two.git")
    commit(repository, {"a.md": "Public."})
    hidden = commit(repository, {"b.md": SECRET_WORDS}, "hidden")
    source = add("git", address=str(root / "two.git"), branch="hidden")
    visit(source)
    Source.objects.filter(pk=source.pk).update(
        settings={"address": str(root / "two.git"), "branch": "master"}
    )
    source.refresh_from_db()
    visit(source)
    with pytest.raises(ToolRefused, match="no commit"):
        call(alice, "git_read", path="b.md", revision=hidden)
