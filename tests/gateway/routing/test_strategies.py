"""Who is asked first: each strategy alone, and what holds for all of them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.needs import Needs
from gateway.routing.strategies import choose, price

from .scenes import NOW, route, scene

STRATEGIES = ["priority", "weighted", "least_busy", "fastest", "cheapest", "of another version"]


def names(choice):
    return [where.endpoint for where in choice.routes]


def measured(first_token_ms, speed=None, **more):
    return {
        "first_token_ms": first_token_ms,
        "tokens_per_second": speed,
        "measured_at": NOW - 5,
    } | more


conditions = st.fixed_dictionaries(
    {
        "reopens_at": st.sampled_from([0.0, NOW - 1, NOW + 9]),
        "cooling_until": st.sampled_from([0.0, NOW + 9]),
        "first_token_ms": st.none() | st.floats(0, 9000),
        "tokens_per_second": st.none() | st.floats(0.1, 900),
        "measured_at": st.sampled_from([0.0, NOW]),
        "in_flight": st.integers(0, 99),
    }
)
deployments = st.fixed_dictionaries(
    {
        "priority": st.integers(0, 3),
        "weight": st.integers(0, 5),
        "price": st.none() | st.integers(0, 9),
        "context_length": st.sampled_from([0, 500, 100_000]),
        "max_concurrency": st.integers(0, 9),
    }
)


@given(
    strategy=st.sampled_from(STRATEGIES),
    made=st.lists(st.tuples(deployments, conditions), max_size=6),
    seed=st.integers(0, 9),
)
def test_all_are_asked_once_and_those_that_are_well_first(strategy, made, seed):
    routes = [route(str(n), strategy=strategy, **fields) for n, (fields, _how) in enumerate(made)]
    setting = scene(zip(routes, (how for _fields, how in made), strict=True), seed=seed)
    choice = choose(routes, setting)
    assert sorted(names(choice)) == sorted(where.endpoint for where in routes)
    sick = [
        setting.of(where).breaker(NOW) == "open" or setting.of(where).is_cooling(NOW)
        for where in choice.routes
    ]
    assert sick == sorted(sick)
    assert bool(choice.why) is bool(routes)


def test_priority():
    one, two, three = route("one", priority=2), route("two", priority=1), route("three", priority=2)
    assert names(choose([one, two, three], scene())) == ["two", "one", "three"]
    ill = choose([one, two, three], scene([(two, {"reopens_at": NOW + 5})]))
    assert names(ill) == ["one", "three", "two"]
    assert ill.why == "First by priority of those that are well."


def test_weights_hold_within_a_priority_and_for_the_next_in_line_too():
    a, b = route("a", weight=3, strategy="weighted"), route("b", weight=1, strategy="weighted")
    never = route("never", weight=0, strategy="weighted")
    reserve = route("reserve", weight=99, priority=20, strategy="weighted")
    orders = [names(choose([reserve, never, b, a], scene(seed=n))) for n in range(2000)]
    first = Counter(order[0] for order in orders)
    assert set(first) == {"a", "b"}
    assert 0.70 < first["a"] / 2000 < 0.80
    assert all(order[2:] == ["never", "reserve"] for order in orders)


def test_the_least_busy_counts_shares_of_the_limit_and_who_waits():
    big = route("big", max_concurrency=100, strategy="least_busy")
    small = route("small", max_concurrency=4, strategy="least_busy")
    busy = [(big, {"in_flight": 10}), (small, {"in_flight": 1})]
    assert names(choose([small, big], scene(busy))) == ["big", "small"]
    queued = [(big, {"in_flight": 100, "waiting": 20}), (small, {"in_flight": 4})]
    assert names(choose([big, small], scene(queued))) == ["small", "big"]


def test_the_faster_of_two_at_random():
    quick, slow = route("quick", strategy="fastest"), route("slow", strategy="fastest")
    slowest = route("slowest", strategy="fastest")
    known = [
        (quick, measured(100, 80)),
        (slow, measured(400, 80)),
        (slowest, measured(100, 5)),
    ]
    first = Counter(
        names(choose([slow, slowest, quick], scene(known, seed=n)))[0] for n in range(300)
    )
    assert first["slowest"] == 0  # in every pair the other one is better
    assert first["quick"] > first["slow"] > 0
    why = choose([quick, slow], scene(known[:2])).why
    assert why == "The faster of two: first word after 100 ms, 80 tokens a second."


def test_what_nobody_has_measured_is_tried_by_one_call_at_a_time():
    known, new = route("known", strategy="fastest"), route("new", strategy="fastest")
    before = [(known, measured(100, 80))]
    assert names(choose([known, new], scene(before))) == ["new", "known"]
    assert names(choose([known, new], scene([*before, (new, {"in_flight": 1})]))) == [
        "known",
        "new",
    ]
    stale = [(known, measured(100)), (new, measured(1, measured_at=NOW - 3600))]
    assert names(choose([known, new], scene(stale))) == ["new", "known"]


def test_the_cheapest_that_fits():
    cheap = route("cheap", price=1, context_length=2000, strategy="cheapest")
    dear = route("dear", price=5, strategy="cheapest")
    unknown = route("unknown", strategy="cheapest")
    free = route("free", price=0, priority=9, strategy="cheapest")
    routes = [unknown, dear, cheap]
    short = scene(needs=Needs(prompt_tokens=500, answer_tokens=500))
    assert names(choose(routes, short)) == ["cheap", "dear", "unknown"]
    assert names(choose([*routes, free], short))[0] == "free"
    long = scene(needs=Needs(prompt_tokens=5000, answer_tokens=500))
    assert names(choose(routes, long)) == ["dear", "unknown", "cheap"]
    assert price(dear, Needs(prompt_tokens=100_000, answer_tokens=100_000)) == 1.0
    assert choose(routes, short).why == "The cheapest that fits: about 0.001 for this request."


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_when_all_pause_the_one_that_is_back_first_is_asked(strategy):
    one, two = route("one", strategy=strategy), route("two", strategy=strategy)
    pausing = [(one, {"reopens_at": NOW + 60}), (two, {"cooling_until": NOW + 6})]
    choice = choose([one, two], scene(pausing))
    assert names(choice) == ["two", "one"]
    assert choice.why == "All endpoints pause; this one is back the soonest."
