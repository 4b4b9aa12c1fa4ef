"""The breaker, the pauses and the averages of one endpoint, and the queue in front of it."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadRequest, EndpointTimeout, RateLimited, StreamCut, UpstreamFailed
from gateway.routing import state
from gateway.routing.fair_queue import FairQueue
from gateway.routing.health import (
    FIRST_PAUSE,
    LONGEST_COOLING,
    LONGEST_PAUSE,
    MOST_FAILURES,
    Health,
)

NOW = 1000.0


def broken():
    health = Health()
    for n in range(MOST_FAILURES):
        assert health.breaker(NOW + n) == "closed"
        health.failed(NOW + n, [UpstreamFailed, StreamCut, EndpointTimeout][n % 3]())
    return health


def test_the_breaker_opens_lets_one_through_and_closes():
    health = broken()
    assert health.breaker(NOW + MOST_FAILURES) == "open"
    later = NOW + 60
    assert health.breaker(later) == "half_open"
    health.trial_until = later + 30
    assert health.breaker(later) == "open"  # for everybody but the one that tries
    health.succeeded(later, 100, 50)
    assert (health.breaker(later), health.error_rate, health.openings) == ("closed", 0.0, 0)
    health.failed(later, UpstreamFailed())
    assert health.breaker(later) == "closed"


def test_a_failed_trial_doubles_the_pause():
    health, now = broken(), NOW + MOST_FAILURES - 1
    pauses = []
    for _ in range(8):
        pauses.append(health.reopens_at - now)
        now = health.reopens_at + 0.1
        health.failed(now, UpstreamFailed())
    assert 0.8 * FIRST_PAUSE <= pauses[0] <= 1.2 * FIRST_PAUSE
    assert pauses[3] > 2 * pauses[1]
    assert max(pauses) <= 144


def test_failures_far_apart_or_among_many_answers_open_nothing():
    health = Health()
    for n in range(50):
        health.failed(NOW + 31 * n, UpstreamFailed())
    assert health.breaker(NOW + 31 * 50) == "closed"
    health = Health()
    for n in range(50):
        health.failed(NOW + n / 10, UpstreamFailed())
        for _ in range(3):
            health.succeeded(NOW + n / 10, 100, 50)
    assert health.breaker(NOW + 6) == "closed"


def test_a_429_cools_and_opens_nothing():
    health = Health()
    for _ in range(20):
        health.failed(NOW, RateLimited(retry_after=9))
    assert health.breaker(NOW) == "closed"
    assert health.is_cooling(NOW + 8.9)
    assert not health.is_cooling(NOW + 9)
    health.failed(NOW, RateLimited(retry_after=1e9))
    assert not health.is_cooling(NOW + LONGEST_COOLING)


def test_what_the_caller_did_wrong_says_nothing_about_the_endpoint():
    health = Health()
    for _ in range(20):
        health.failed(NOW, BadRequest())
    assert health == Health()


def test_averages_learn_and_grow_stale():
    health = Health()
    health.succeeded(NOW, 100, None)
    assert (health.first_token_ms, health.tokens_per_second) == (100, None)
    health.succeeded(NOW, 200, 40)
    assert (health.first_token_ms, health.tokens_per_second) == (120, 40)
    assert not health.is_fresh(NOW + 3600)
    health.succeeded(NOW + 3600, 900, None)
    assert (health.first_token_ms, health.tokens_per_second) == (900, None)


def test_accounts_take_turns():
    queue = FairQueue()
    for n in range(3):
        queue.push("alice", f"a{n}")
    queue.push("bob", "b0")
    queue.push("carol", "c0")
    queue.remove("carol", "c0")
    queue.remove("carol", "c0")
    assert [queue.pop() for _ in range(len(queue))] == ["a0", "b0", "a1", "a2"]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99)), max_size=40))
def test_nobody_waits_longer_than_one_round(pushed):
    queue = FairQueue()
    for account, item in pushed:
        queue.push(account, (account, item))
    popped = [queue.pop() for _ in range(len(queue))]
    assert sorted(popped) == sorted(pushed)
    for account in {account for account, _item in pushed}:
        mine = [n for n, (whose, _item) in enumerate(popped) if whose == account]
        assert [popped[n] for n in mine] == [p for p in pushed if p[0] == account]
        assert mine[0] < len({whose for whose, _item in pushed})


def test_a_clock_that_is_ahead_keeps_no_endpoint_out():
    hour = {"reopens_at": str(NOW + 3600), "openings": "3", "cooling_until": str(NOW + 3600)}
    health = Health()
    state.adopt(health, ({}, 0, 0, {}), NOW)
    assert (health.breaker(NOW), health.is_cooling(NOW)) == ("closed", False)
    state.adopt(health, (hour, 0, 0, {}), NOW)
    assert (health.breaker(NOW), health.is_cooling(NOW)) == ("half_open", False)
    usual = {"reopens_at": str(NOW + LONGEST_PAUSE), "cooling_until": str(NOW + LONGEST_COOLING)}
    state.adopt(health, (usual, 0, 0, {}), NOW)
    assert (health.breaker(NOW), health.is_cooling(NOW)) == ("open", True)
