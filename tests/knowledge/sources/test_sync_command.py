"""`manage.py sync` as an operator runs it: what it lists, starts, waits for, and how it exits."""

import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from embedded.home import REPOSITORY
from knowledge.models import Document, Source, SyncRun
from tests.knowledge.conftest import run_job
from tests.knowledge.sources.conftest import Add, counts, work
from tests.support.processes import Processes

ALICE = {"email": "alice@example.org"}


def sync(*names: str, **options: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("sync", *names, stdout=out, stderr=err, **ALICE, **options)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_it_lists_starts_and_refuses(root: Path, add: Add, bob):
    assert "There are no sources" in sync()[0]
    (root / "a.md").write_text("One.")
    source = add("folder", path=str(root))
    listed = sync()[0]
    assert f"{source.pk}  Handbook / It  [folder] {root}  daily, never synced" in listed
    assert sync("It")[0] == "1 syncs are queued.\n"
    assert counts(work(source.runs.get())) == (1, 0, 0, 0, 0)
    assert "succeeded" in sync()[0]
    assert sync(str(source.pk), preview=True)[0] == "1 syncs are queued.\n"
    run = work(source.runs.get(is_preview=True))
    assert (run.status, Document.objects.count()) == (SyncRun.Status.SUCCEEDED, 1)
    with pytest.raises(CommandError, match="no source “Nowhere”"):
        sync("Nowhere")
    pushed = add("api")
    Source.objects.filter(pk=pushed.pk).update(name="Bot")
    with pytest.raises(CommandError, match="No sync was started"):
        sync("Bot")
    Source.objects.filter(pk=source.pk).update(is_paused=True)
    with pytest.raises(CommandError, match="No sync was started"):
        sync(all=True)
    with pytest.raises(CommandError, match="no source"):  # another's is as if it were not there
        call_command("sync", "It", email="bob@example.org")


@pytest.mark.processes
@pytest.mark.timeout(180)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_there", [True, False])
def test_run_by_hand_it_waits_and_its_exit_says_how_it_ended(root: Path, add: Add, is_there: bool):
    (root / "a.md").write_text("One.")
    source = add("folder", path=str(root))
    if not is_there:
        root.rename(root.with_name("elsewhere"))
    program = start_by_hand("--wait")
    work(run_of(source, program))
    out, err = program.communicate(timeout=120)
    if is_there:
        assert (program.returncode, "It: succeeded. 1 added" in out) == (0, True), err
    else:
        assert (program.returncode, "It: failed" in out) == (1, True), err
        assert "PARLEY_SOURCE_ROOTS" in err


@pytest.mark.processes
@pytest.mark.timeout(180)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_whole", [True, False])
def test_it_stays_until_what_came_is_indexed_too(root: Path, add: Add, is_whole: bool):
    (root / "a.md").write_text("One.")
    (root / "b.json").write_text('{"rule": "Two."}' if is_whole else "{")
    source = add("folder", path=str(root))
    program = start_by_hand("--indexed")
    run = work(run_of(source, program))
    assert (run.added, run.total) == (2, 2)
    assert program.poll() is None  # it waits for the documents, of which none is indexed yet
    for document in Document.objects.filter(source=source):
        run_job(document)
    out, err = program.communicate(timeout=120)
    if is_whole:
        assert (program.returncode, "2 documents are ready, 0 failed." in out) == (0, True), err
    else:
        assert (program.returncode, "1 documents are ready, 1 failed." in out) == (1, True), out
        assert "It: b.json: " in err


def start_by_hand(*options: str) -> "subprocess.Popen[str]":
    """The program itself, in a process of its own, while a worker does the work here."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "sync", "It", *options, "--as", "alice@example.org"],
        cwd=REPOSITORY, env=Processes().environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run_of(source: Source, program: "subprocess.Popen[str]") -> SyncRun:
    while not (found := source.runs.first()) and program.poll() is None:
        time.sleep(0.05)
    assert found, program.communicate()
    return found
