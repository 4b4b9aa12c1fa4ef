"""Old logs get smaller; from every position a reader gets the same text, or an honest no."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from events import compaction, jobs, leases, log
from events.log import Answer
from events.models import Event, Job, Stream
from observability.metrics import swept
from security.ids import new_id

pytestmark = pytest.mark.django_db

WORDS = [f"{n} " for n in range(40)]
TALK = [
    ("turn_started", {}),
    ("retrieval_completed", {"passages": []}),
    *[("reasoning_delta", {"text": f"hm {n} "}) for n in range(5)],
    *[("text_delta", {"text": word}) for word in WORDS[:25]],
    ("citation_added", {"n": 1}),
    *[("text_delta", {"text": word}) for word in WORDS[25:]],
    ("message_completed", {}),
]


def tell(talk, *, close=True):
    stream = leases.open_stream(new_id(), "turn").id
    claim = leases.claim_one(stream, "a")
    for n, event in enumerate(talk):
        log.append(stream, claim.fence, [event], close=close and n == len(talk) - 1)
    return stream


def grow_old(stream):
    """What waiting for two hours would do."""
    Event.objects.filter(stream=stream).update(created_at=Now() - timedelta(hours=2))
    Stream.objects.filter(pk=stream).update(created_at=Now() - timedelta(hours=2))


def text(rows, kind="text_delta"):
    return "".join(row.payload["text"] for row in rows if row.kind == kind)


def test_f21_from_every_position_the_text_is_whole_or_cannot_be_replayed():
    stream = tell(TALK)
    before = log.read_all(stream)
    grow_old(stream)
    counted = swept.labels("events_joined")._value.get()
    assert compaction.compact_closed_streams() == 4 + 24 + 14
    assert swept.labels("events_joined")._value.get() == counted + 42
    after = log.read_all(stream)
    assert [(row.seq, row.kind) for row in after] == [
        (1, "turn_started"), (2, "retrieval_completed"), (7, "reasoning_delta"),
        (32, "text_delta"), (33, "citation_added"), (48, "text_delta"), (49, "message_completed"),
    ]  # fmt: skip
    assert (after[-1].is_last, text(after)) == (True, "".join(WORDS))
    answers = []
    for seq in range(len(before) + 2):
        replay = log.read(stream, seq)
        answers.append(replay.answer)
        if replay.answer is not Answer.CANNOT_REPLAY:
            assert text(before[:seq]) + text(replay.rows) == "".join(WORDS)
            assert replay.is_closed
    known = [0, *(row.seq for row in after)]
    assert [n for n, answer in enumerate(answers) if answer is not Answer.CANNOT_REPLAY] == known
    assert answers[49] is Answer.NOTHING_MISSED


def test_doing_it_again_changes_nothing():
    stream = tell(TALK)
    grow_old(stream)
    compaction.compact_closed_streams()
    rows = log.read_all(stream)
    assert compaction.compact_closed_streams() == 0
    Stream.objects.update(compacted_at=None)
    assert compaction.compact_closed_streams() == 0
    assert log.read_all(stream) == rows


def test_what_runs_or_ended_just_now_is_left_alone():
    running, fresh, long = tell(TALK, close=False), tell(TALK), tell(TALK)
    for stream in (running, long):
        grow_old(stream)
    Event.objects.filter(stream=long, seq=len(TALK)).update(created_at=Now())
    assert compaction.compact_closed_streams() == 0
    assert all(len(log.read_all(stream)) == len(TALK) for stream in (running, fresh, long))


def test_many_streams_and_two_holders(monkeypatch):
    """Every holder numbers in a range of its own; streams are taken in batches."""
    monkeypatch.setattr(compaction, "BATCH", 2)
    monkeypatch.setattr(compaction, "LONGEST", 10)
    streams = []
    for _ in range(5):
        stream = tell([("text_delta", {"text": "lost "})] * 2, close=False)
        leases.release(stream, 1)
        claim = leases.claim_one(stream, "b")
        spoken = [("turn_started", {}), *[("text_delta", {"text": "12345"})] * 7]
        log.append(stream, claim.fence, [*spoken, ("message_completed", {})], close=True)
        grow_old(stream)
        streams.append(stream)
    assert compaction.compact_closed_streams() > 0
    for stream in streams:
        rows = log.read_all(stream)
        started = next(n for n, row in enumerate(rows) if row.kind == "turn_started")
        assert text(rows[started:]) == "12345" * 7
        assert all(len(row.payload.get("text", "")) <= 10 for row in rows)
        assert Stream.objects.get(pk=stream).compacted_at is not None


def test_jobs_that_ended_long_ago_go_with_their_events():
    old, young, waiting = (jobs.enqueue("no.such.task", {}) for _ in range(3))
    for job in (old, young):
        jobs.request_cancel(job.pk)
    Job.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=31))
    assert compaction.remove_old_jobs() == 1
    assert compaction.remove_old_jobs() == 0
    assert set(Job.objects.values_list("pk", flat=True)) == {young.pk, waiting.pk}
    assert not Event.objects.filter(stream=old.pk).exists()
