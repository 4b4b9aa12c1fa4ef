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
    """The program itself, in a process of its own, while a worker does the work here."""
    (root / "a.md").write_text("One.")
    source = add("folder", path=str(root))
    if not is_there:
        root.rename(root.with_name("elsewhere"))
    processes = Processes()
    program = subprocess.Popen(
        [sys.executable, "manage.py", "sync", "It", "--wait", "--as", "alice@example.org"],
        cwd=REPOSITORY, env=processes.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (found := source.runs.first()) and program.poll() is None:
        time.sleep(0.05)
    if found:
        work(found)
    out, err = program.communicate(timeout=120)
    assert found, err
    if is_there:
        assert (program.returncode, "It: succeeded. 1 added" in out) == (0, True), err
    else:
        assert (program.returncode, "It: failed" in out) == (1, True), err
        assert "PARLEY_SOURCE_ROOTS" in err
