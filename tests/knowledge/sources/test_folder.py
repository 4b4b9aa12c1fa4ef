"""A folder on the server, followed through all that can happen to its files."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from knowledge import discarding
from knowledge import services as knowledge
from knowledge.models import Collection, Document, Source, SourceItem, SyncRun
from knowledge.sources import services, sweeping, tombstones
from knowledge.sources.services import SourceRefused
from tests.knowledge.files import as_stream
from tests.knowledge.sources.conftest import Add, counts, titles, visit

pytestmark = pytest.mark.django_db

State = SourceItem.State


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_come_change_go_and_come_back(root: Path, add: Add, handbook: Collection):
    write(root, "a.md", "# A\n\nTea.")
    write(root, "sub/b.txt", "Coffee.")
    write(root, ".hidden/c.md", "Not this.")
    write(root, "picture.xyz", "no type that is read")
    source = add("folder", path=str(root))

    first = visit(source)
    assert (first.status, counts(first)) == (SyncRun.Status.SUCCEEDED, (2, 0, 0, 0, 1))
    assert titles(handbook) == ["a.md", "sub/b.txt"]
    assert first.sample[0]["item"] == "picture.xyz"
    assert first.sample[0]["reason"]

    assert counts(visit(source)) == (0, 0, 3, 0, 0)
    assert counts(visit(source, is_full=True)) == (0, 0, 2, 0, 1)

    write(root, "a.md", "# A\n\nMore tea than before.")
    (root / "sub/b.txt").unlink()
    assert counts(visit(source)) == (0, 1, 1, 1, 0)
    item = source.items.get(external_id="sub/b.txt")
    assert item.state == State.MISSING
    assert titles(handbook) == ["a.md", "sub/b.txt"]  # its days of grace

    write(root, "sub/b.txt", "Coffee.")
    assert counts(visit(source)) == (1, 0, 2, 0, 0)
    item.refresh_from_db()
    assert (item.state, item.missing_since) == (State.PRESENT, None)


def test_what_is_gone_longer_than_its_grace_goes_and_can_be_taken_back(
    root: Path, add: Add, handbook: Collection, admin: User
):
    path = write(root, "a.md", "Tea.")
    source = add("folder", path=str(root), grace_days=3)
    visit(source)
    document = Document.objects.get(collection=handbook)
    path.unlink()
    visit(source)
    sweeping.sweep()
    assert Document.objects.filter(collection=handbook).exists()
    source.items.update(missing_since=timezone.now() - timedelta(days=3, seconds=1))
    assert tombstones.purge() == 1
    assert not Document.objects.filter(collection=handbook).exists()
    assert not source.items.exists()
    discarding.restore(admin, document.pk)
    assert Document.objects.get(collection=handbook).source.kind == Source.Kind.UPLOAD


def test_what_a_person_added_is_never_removed(
    root: Path, add: Add, handbook: Collection, admin: User
):
    """Before the sync or after it: the same bytes are linked."""
    uploaded, _ = knowledge.add_document(admin, handbook, as_stream("Tea."), "tea.md")
    write(root, "tea.md", "Tea.")
    write(root, "coffee.md", "Coffee.")
    source = add("folder", path=str(root), grace_days=0)
    visit(source)
    assert source.items.get(external_id="tea.md").document_id == uploaded.pk
    again, is_new = knowledge.add_document(admin, handbook, as_stream("Coffee."), "mine.md")
    assert not is_new
    (root / "tea.md").unlink()
    (root / "coffee.md").unlink()
    assert counts(visit(source)) == (0, 0, 0, 2, 0)
    assert not source.items.exists()
    kept = Document.objects.filter(collection=handbook)
    assert {document.pk for document in kept} == {uploaded.pk, again.pk}


def test_what_another_source_has_too_stays_with_that(root: Path, add: Add, handbook: Collection):
    write(root, "one/a.md", "Tea.")
    write(root, "two/b.md", "Tea.")
    first = add("folder", path=str(root / "one"), grace_days=0)
    second = add("folder", path=str(root / "two"), grace_days=0)
    visit(first)
    visit(second)
    document = Document.objects.get(collection=handbook)
    assert document.source == first
    (root / "one/a.md").unlink()
    visit(first)
    document.refresh_from_db()
    assert document.source == second
    (root / "two/b.md").unlink()
    visit(second)
    assert not Document.objects.filter(collection=handbook).exists()


def test_what_a_person_deleted_here_stays_away(root: Path, add: Add, handbook: Collection):
    write(root, "a.md", "Tea.")
    source = add("folder", path=str(root))
    visit(source)
    discarding.discard(Document.objects.get(collection=handbook))
    assert counts(visit(source)) == (0, 0, 1, 0, 0)
    write(root, "a.md", "Tea, once more.")
    assert counts(visit(source)) == (0, 0, 1, 0, 0)
    assert source.items.get().state == State.LEFT_OUT
    assert not Document.objects.filter(collection=handbook).exists()


def test_a_folder_that_is_not_there_removes_nothing(root: Path, add: Add, handbook: Collection):
    write(root, "in/a.md", "Tea.")
    source = add("folder", path=str(root / "in"), grace_days=0)
    visit(source)
    (root / "in").rename(root / "elsewhere")
    run = visit(source)
    assert run.status == SyncRun.Status.FAILED
    assert "PARLEY_SOURCE_ROOTS" in run.reason
    assert titles(handbook) == ["a.md"]


def test_nothing_outside_the_roots_is_read(root: Path, tmp_path: Path, add: Add, admin: User):
    secret = tmp_path / "secret"
    write(secret, "key.md", "The key.")
    write(root, "a.md", "Tea.")
    (root / "link.md").symlink_to(secret / "key.md")
    (root / "linked").symlink_to(secret)
    os.mkfifo(root / "pipe.md")
    run = visit(add("folder", path=str(root)))
    assert counts(run) == (1, 0, 0, 0, 0)
    for path in (str(secret), str(root / "../secret"), str(root / "linked"), "/", "relative",
                 str(root / "missing"), "/proc/self/root", f"{root}\0"):  # fmt: skip
        with pytest.raises(SourceRefused):
            add("folder", path=path)


def test_a_file_replaced_by_a_link_meanwhile_is_not_followed(root: Path, tmp_path: Path, add: Add):
    from knowledge.sources.connector import Found, ItemFailed  # noqa: PLC0415
    from knowledge.sources.kinds import open_source  # noqa: PLC0415

    write(tmp_path, "secret/key.md", "The key.")
    (root / "sub").symlink_to(tmp_path / "secret")
    connector = open_source(add("folder", path=str(root)))
    for name in ("sub/key.md", "../secret/key.md"):
        with pytest.raises(ItemFailed), connector.fetch(Found(name, "key.md")) as file:
            file.read(1)


def test_only_administrators_connect_folders(root: Path, add: Add, admin: User):
    admin.is_staff = False
    with pytest.raises(SourceRefused):
        add("folder", path=str(root))
    with pytest.raises(SourceRefused):
        add("git", address=str(root))


def test_odd_names_are_told_apart(root: Path, add: Add, handbook: Collection):
    raw = os.fsencode(root)
    for name, text in ((b"\xff.md", "One."), (b"\\xff.md", "Two."), ("茶.md".encode(), "Three.")):
        with open(raw + b"/" + name, "w") as file:  # noqa: PTH123 - the name is no text
            file.write(text)
    source = add("folder", path=str(root))
    assert counts(visit(source)) == (3, 0, 0, 0, 0)
    assert counts(visit(source)) == (0, 0, 3, 0, 0)


def test_patterns_and_preview(root: Path, add: Add, handbook: Collection):
    for name in ("a.md", "docs/b.md", "docs/deep/c.md", "docs/draft-d.md", "x.bin"):
        write(root, name, f"About {name}.")
    source = add("folder", path=str(root), include=["docs/**", "*.bin"], exclude=["draft-*"])
    run = visit(source, is_preview=True)
    assert (run.status, run.added, run.failed) == (SyncRun.Status.SUCCEEDED, 2, 1)
    assert {entry["item"]: bool(entry["reason"]) for entry in run.sample} == {
        "docs/b.md": False, "docs/deep/c.md": False, "x.bin": True,
    }  # fmt: skip
    assert not source.items.exists()
    assert not titles(handbook)
    assert counts(visit(source))[0] == 2


def test_deleting_a_source_keeps_its_documents_or_not(root: Path, add: Add, handbook: Collection):
    from events import jobs  # noqa: PLC0415
    from events.models import Job  # noqa: PLC0415

    write(root, "one/a.md", "Tea.")
    write(root, "two/b.md", "Coffee.")
    kept, gone = (add("folder", path=str(root / name)) for name in ("one", "two"))
    visit(kept)
    visit(gone)
    for source, keeps in ((kept, True), (gone, False)):
        services.delete_source(source, keeps_documents=keeps)
        job = Job.objects.filter(task=services.REMOVE).latest("created_at")
        jobs.run(str(job.pk))
        assert not Source.objects.filter(pk=source.pk).exists()
    assert titles(handbook) == ["a.md"]
    assert Document.objects.get(collection=handbook).source.kind == Source.Kind.UPLOAD


@pytest.mark.parametrize("files", [2000, pytest.param(10_000, marks=pytest.mark.chaos)])
def test_an_unchanged_folder_costs_a_few_queries(
    files: int, root: Path, add: Add, django_assert_max_num_queries
):
    for number in range(files):
        folder = root / f"{number % 50}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text(f"Text {number}.")
    source = add("folder", path=str(root))
    know_all(source, root)
    with django_assert_max_num_queries(60 + files // 25):
        run = visit(source)
    assert counts(run) == (0, 0, files, 0, 0)
    assert run.finished_at is not None
    assert run.started_at is not None
    assert (run.finished_at - run.started_at).total_seconds() < 30


def know_all(source: Source, root: Path) -> None:
    """As if they had all been taken in: rows as a sync leaves them, without the indexing."""
    from knowledge.sources.connector import Gone  # noqa: PLC0415
    from knowledge.sources.kinds import open_source  # noqa: PLC0415
    from tests.knowledge.sources.walking import Bystander  # noqa: PLC0415

    items, documents = [], []
    connector = open_source(source)
    for found in connector.walk(Bystander()):
        assert not isinstance(found, Gone)
        document = Document(
            collection=source.collection, source=source, title=found.title, size=found.size or 0,
            file_name=found.file_name, media_type="text/markdown",
            sha256=f"{found.key.int:064x}"[:64], status=Document.Status.READY,
        )  # fmt: skip
        documents.append(document)
        items.append(
            SourceItem(
                source=source,
                key=found.key,
                external_id=found.external_id,
                mark=found.mark,
                document=document,
                sha256=document.sha256,
            )
        )
    connector.close()
    Document.objects.bulk_create(documents)
    SourceItem.objects.bulk_create(items)
