from datetime import timedelta

import pytest
from django.utils import timezone

from events.models import Job
from knowledge import overview, services
from knowledge.job_card import find_card
from knowledge.models import Document, Stage
from knowledge.overview import Progress, estimate, find_progress, list_cards, run_began
from knowledge.rows import describe
from tests.knowledge.files import as_stream

NOW = timezone.now()


def ago(seconds: float):
    return NOW - timedelta(seconds=seconds)


def test_a_run_goes_back_to_the_last_pause():
    jobs = [
        (ago(500), ago(400)),
        (ago(100), ago(60)),
        (ago(90), ago(30)),
        (ago(40), None),
    ]
    assert run_began(jobs, NOW) == ago(100)
    assert run_began(jobs[:1], NOW) == NOW


@pytest.mark.parametrize(
    ("elapsed", "done", "total", "left"),
    [(1, 5, 10, None), (60, 0, 10, None), (60, 5, 10, 60), (60, 10, 10, 0), (60, 2.5, 10, 180)],
)
def test_time_left_follows_the_pace_so_far(elapsed, done, total, left):
    found = estimate(timedelta(seconds=elapsed), done, total)
    assert (found.total_seconds() if found is not None else None) == left


def test_the_bar_fills_its_width():
    progress = Progress(ready=17, working=5, failed=2, waiting=4, time_left=timedelta(seconds=170))
    assert [name for name, _, _ in progress.segments] == ["ready", "working", "failed", "waiting"]
    assert sum(width for _, _, width in progress.segments) == pytest.approx(100, abs=0.05)
    assert progress.minutes_left == 3
    assert not Progress().segments


def test_progress_counts_the_documents_of_the_present_run(alice, handbook, add_text):
    old = add_text(handbook, "Old text, indexed long ago.")
    Job.objects.filter(pk=old.job_id).update(created_at=ago(4000), finished_at=ago(3990))
    assert not find_progress(handbook).is_active
    waiting, _ = services.add_document(alice, handbook, as_stream("Waiting text."), "w.md")
    progress = find_progress(handbook)
    assert (progress.waiting, progress.total) == (1, 1)
    done = add_text(handbook, "Indexed while the other waits.", "d.md")
    Job.objects.filter(pk=waiting.job_id).update(created_at=ago(5))
    Job.objects.filter(pk=done.job_id).update(created_at=ago(4))
    assert (find_progress(handbook).ready, find_progress(handbook).total) == (1, 2)


@pytest.mark.parametrize("window", [3, 100])
def test_a_long_run_is_counted_whole(alice, handbook, add_text, monkeypatch, window) -> None:
    """Looked at are its last documents, to tell when it began; what is left is of all of it."""
    monkeypatch.setattr(overview, "WINDOW", window)
    for n in range(6):
        services.add_document(alice, handbook, as_stream(f"Waiting {n}."), f"w{n}.md")
    for n in range(4):
        add_text(handbook, f"Rule number {n}.", f"{n}.md")
    Job.objects.update(created_at=NOW)
    Document.objects.filter(file_name="w0.md").update(status="running")
    progress = find_progress(handbook)
    told = (progress.ready, progress.working, progress.waiting, progress.total)
    assert told == (4, 1, 5, 10)
    assert find_card(handbook, alice).run.total == 10


def test_cards_count_and_weigh_what_is_visible(alice, bob, charlie, shared, add_text):
    document = add_text(shared, "Text of some weight.")
    (card,) = list_cards(bob)
    assert (card.document_count, card.total_size, card.is_shared) == (1, document.size, True)
    assert not list_cards(charlie)


def test_a_row_says_the_stage_how_far_and_what_went_wrong(handbook, add_text):
    document = add_text(handbook, "Some text.")
    assert describe(document).badge == "ok"
    document.stages.filter(name=Stage.Name.EMBED).update(status="running", done=3, total=8)
    document.status = Document.Status.RUNNING
    row = describe(document)
    assert (str(row.label), row.detail, row.is_active) == ("Embedding", "3 of 8 passages", True)
    document.status, document.reason = Document.Status.FAILED, "This file is damaged."
    assert describe(document).detail == "This file is damaged."
