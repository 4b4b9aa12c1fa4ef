import pytest

from events import leases, log
from events.log import Answer, Batch
from events.models import Event, Stream
from events.types import EventRow, LeaseLost
from security.ids import new_id

from .test_leases import expire


def delta(text):
    return ("text_delta", {"text": text})


@pytest.fixture
def claim(stream):
    return leases.claim_one(stream.id, "a")


def test_append_numbers_from_one_and_reads_back(claim):
    assert log.append(claim.stream_id, claim.fence, [delta("a"), delta("b")]) == 2
    assert log.append(claim.stream_id, claim.fence, [("turn_stopped", {})], close=True) == 3
    replay = log.read(claim.stream_id, 0)
    assert replay.answer is Answer.REPLAYED
    assert replay.is_closed
    assert [(r.seq, r.kind, r.is_last) for r in replay.rows] == [
        (1, "text_delta", False),
        (2, "text_delta", False),
        (3, "turn_stopped", True),
    ]


def test_a_zombie_writes_nothing(claim):
    log.append(claim.stream_id, claim.fence, [delta("mine")])
    expire(claim.stream_id)
    successor = leases.claim_one(claim.stream_id, "b")
    with pytest.raises(LeaseLost):
        log.append(claim.stream_id, claim.fence, [delta("zombie")])
    rows = [EventRow(2, *delta("zombie"))]
    assert log.append_batches([Batch(claim.stream_id, claim.fence, rows)]) == set()
    assert log.append(claim.stream_id, successor.fence, [delta("new")]) == 1_000_001
    assert [e.payload["text"] for e in Event.objects.order_by("seq")] == ["mine", "new"]


def test_a_closed_stream_takes_no_more(claim):
    log.append(claim.stream_id, claim.fence, [("turn_stopped", {})], close=True)
    with pytest.raises(LeaseLost):
        log.append(claim.stream_id, claim.fence, [delta("late")])


def test_batches_of_many_streams_and_a_repeated_batch(db):
    claims = []
    for _ in range(3):
        leases.open_stream(new_id(), "turn")
    claims = leases.claim("turn", "a", 3)
    batches = [Batch(c.stream_id, c.fence, [EventRow(1, *delta("x\x00y"))]) for c in claims]
    assert log.append_batches(batches) == {c.stream_id for c in claims}
    assert log.append_batches(batches) == {c.stream_id for c in claims}
    assert Event.objects.count() == 3
    assert {e.payload["text"] for e in Event.objects.all()} == {"xy"}
    assert set(Stream.objects.values_list("last_seq", flat=True)) == {1}


def test_the_three_answers(claim):
    log.append(claim.stream_id, claim.fence, [delta("a"), delta("b"), delta("c")])
    assert log.read(claim.stream_id, 3).answer is Answer.NOTHING_MISSED
    assert [r.seq for r in log.read(claim.stream_id, 1).rows] == [2, 3]
    assert [r.seq for r in log.read(claim.stream_id, 0, limit=2).rows] == [1, 2]
    # A live event may overtake the log, but only under the fence that is writing now.
    assert log.read(claim.stream_id, 7).answer is Answer.AHEAD
    assert log.read(claim.stream_id, 1_000_001).answer is Answer.CANNOT_REPLAY
    assert log.read(new_id(), 0).answer is Answer.CANNOT_REPLAY
    log.append(claim.stream_id, claim.fence, [("turn_stopped", {})], close=True)
    assert log.read(claim.stream_id, 7).answer is Answer.CANNOT_REPLAY
    assert log.read(claim.stream_id, 4).is_closed


def test_what_a_dead_holder_rang_but_did_not_store_is_unknown_to_its_successor(claim):
    log.append(claim.stream_id, claim.fence, [delta("stored")])
    expire(claim.stream_id)
    leases.claim_one(claim.stream_id, "b")
    assert log.read(claim.stream_id, 1).answer is Answer.NOTHING_MISSED
    assert log.read(claim.stream_id, 2).answer is Answer.CANNOT_REPLAY


def test_read_all_goes_on_where_one_read_ends(claim):
    log.append(claim.stream_id, claim.fence, [delta(f"{n} ") for n in range(1200)])
    assert [row.seq for row in log.read_all(claim.stream_id)] == list(range(1, 1201))
    assert log.read_all(new_id()) == []


def test_positions(claim):
    assert log.positions([claim.stream_id, new_id()]) == {claim.stream_id: (0, False)}
    log.append(claim.stream_id, claim.fence, [("turn_stopped", {})], close=True)
    assert log.positions([claim.stream_id]) == {claim.stream_id: (1, True)}
