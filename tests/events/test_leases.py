import threading

import pytest
from django.db import connection

from events import leases
from events.models import Stream
from security.ids import new_id


def expire(stream_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "update events_stream set lease_until = now() - interval '1 s' where id = %s",
            [stream_id],
        )


def test_claim_takes_each_waiting_stream_once(db):
    ids = {leases.open_stream(new_id(), "turn").id for _ in range(3)}
    leases.open_stream(new_id(), "job")
    first = leases.claim("turn", "a", 2)
    second = leases.claim("turn", "b", 5)
    assert len(first) == 2
    assert {c.stream_id for c in first} | {c.stream_id for c in second} == ids
    assert {(c.fence, c.attempts, c.next_seq) for c in first + second} == {(1, 1, 1)}


def test_an_expired_lease_is_taken_under_a_higher_fence_and_number_range(stream):
    leases.claim("turn", "a", 1)
    assert leases.claim("turn", "b", 1) == []
    expire(stream.id)
    (claim,) = leases.claim("turn", "b", 1)
    assert (claim.fence, claim.attempts, claim.next_seq) == (2, 2, 1_000_001)


def test_f30_a_holder_does_not_take_from_itself_what_expired_while_its_machine_slept(stream):
    (claim,) = leases.claim("turn", "a", 1)
    expire(stream.id)
    assert leases.claim("turn", "a", 1, held=[stream.id]) == []
    assert leases.renew([(stream.id, claim.fence)]) == {stream.id}
    assert leases.claim("turn", "b", 1) == []


def test_a_host_may_have_the_longest_name_there_is(stream):
    (claim,) = leases.claim("turn", "h" * 64 + ":12345", 1)
    assert claim.stream_id == stream.id


def test_renewing_names_those_still_held(db):
    ids = [leases.open_stream(new_id(), "turn").id for _ in range(2)]
    held = [(c.stream_id, c.fence) for c in leases.claim("turn", "a", 2)]
    expire(ids[0])
    leases.claim("turn", "b", 1)
    assert leases.renew(held) == {ids[1]}


def test_releasing_gives_the_stream_to_the_next_without_counting_the_attempt(stream):
    (claim,) = leases.claim("turn", "a", 1)
    assert leases.release(stream.id, claim.fence, count_attempt=False)
    assert not leases.release(stream.id, claim.fence)
    (again,) = leases.claim("turn", "b", 1)
    assert (again.fence, again.attempts) == (2, 1)


def test_claim_one_leaves_held_and_closed_streams_alone(stream):
    assert leases.claim_one(stream.id, "a") is not None
    assert leases.claim_one(stream.id, "b") is None
    Stream.objects.filter(pk=stream.id).update(state="closed")
    assert leases.claim_one(stream.id, "b") is None


@pytest.mark.django_db(transaction=True)
def test_claiming_at_once_from_many_connections_never_shares_a_stream():
    total = 40
    for _ in range(total):
        leases.open_stream(new_id(), "turn")
    claimed: list = []
    start = threading.Barrier(4)

    def take(name):
        start.wait()
        try:
            while found := leases.claim("turn", name, 3):
                claimed.extend(found)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A claimant may leave while the rows it skipped are still locked by another.
    claimed += leases.claim("turn", "last", total)
    assert len(claimed) == len({c.stream_id for c in claimed}) == total
