"""What endpoints have done before, in this process and in others, decides who is asked next."""

import asyncio
import time
import uuid
from dataclasses import replace

import pytest
import redis

from gateway.models import Endpoint
from gateway.routing import board as boards
from gateway.routing import health, state
from gateway.routing.board import current_board
from gateway.services import check_endpoint, store_key
from gateway.types import EndpointSwitched
from tests.support.model_server import Script

from .talk import TEXT, Endpoints, Talk, in_a_loop, look_again


@pytest.fixture
def two():
    with Endpoints("one", "two") as endpoints:
        for server in endpoints.servers.values():
            server.default = Script(text=TEXT)
        yield endpoints


def of(endpoints, name):
    pk = endpoints.routes[name].endpoint_id
    return state.read_states([pk])[pk]


def ask(endpoints, times=1):
    """That many answers, one after the other, in a process of their own."""

    async def scenario():
        await look_again(*endpoints.routes.values())
        return [await Talk(endpoints.routes).listen() for _ in range(times)]

    return in_a_loop(scenario)


def test_an_endpoint_nobody_has_asked():
    pk = uuid.uuid4()
    assert state.read_states([pk]) == {pk: state.EndpointState(pk)}
    assert state.read_states([]) == {}


def test_a_breaker_that_opens_opens_for_all_processes(two):
    two.one.default = Script(status=500, error={"message": "out of memory"})
    talks = ask(two, health.MOST_FAILURES + 2)
    assert all(talk.text == TEXT for talk in talks)
    assert len(two.one.chat_requests) == health.MOST_FAILURES
    assert not talks[-1].of(EndpointSwitched)
    (later,) = ask(two)
    assert later.outcomes == [("two", "completed")]
    assert later.items[-1].why == "First by priority of those that are well."
    seen = of(two, "one")
    assert (seen.breaker, seen.in_flight) == ("open", 0)
    assert seen.reopens_at.timestamp() > time.time()
    assert seen.error_rate > 0.5
    assert seen.last_errors[0].type == "upstream_failed"
    assert "out of memory" in seen.last_errors[0].detail
    well = of(two, "two")
    assert (well.breaker, well.error_rate, well.last_errors) == ("closed", 0.0, ())
    assert well.first_token_ms > 0


def test_failures_of_several_processes_add_up(two):
    two.one.default = Script(status=500)
    for _ in range(health.MOST_FAILURES + 1):
        ask(two)
    assert len(two.one.chat_requests) <= health.MOST_FAILURES + 1
    assert of(two, "one").breaker == "open"


def test_half_open_lets_one_through_and_its_answer_closes_it(two, monkeypatch):
    monkeypatch.setattr(health, "FIRST_PAUSE", 0.2)
    two.one.default = Script(status=500)
    ask(two, health.MOST_FAILURES)
    assert of(two, "one").breaker == "open"
    time.sleep(0.3)
    assert of(two, "one").breaker == "half_open"
    two.one.reset()
    two.one.default = Script(text=TEXT, first_delay=0.3)

    async def at_once():
        await look_again(*two.routes.values())
        talks = [Talk(two.routes) for _ in range(5)]
        await asyncio.gather(*(talk.listen() for talk in talks))
        return talks

    talks = in_a_loop(at_once)
    assert len(two.one.chat_requests) == 1
    assert [talk.text for talk in talks] == [TEXT] * 5
    assert of(two, "one").breaker == "closed"
    (talk,) = ask(two)
    assert talk.items[-1].endpoint == "one"


def test_429_cools_without_opening(two):
    two.one.default = Script(status=429, headers={"Retry-After": "60"})
    first, second = ask(two, 2)
    assert first.outcomes == [("one", "rate_limited"), ("two", "completed")]
    assert second.outcomes == [("two", "completed")]
    seen = of(two, "one")
    assert seen.breaker == "closed"
    assert 50 < seen.cooling_until.timestamp() - time.time() <= 60


@pytest.mark.parametrize("status", [401, 403])
def test_who_does_not_accept_the_key_is_left_alone_for_a_minute(two, status):
    two.one.default = Script(status=status)
    first, second = ask(two, 2)
    assert first.outcomes == [("one", "bad_credentials"), ("two", "completed")]
    assert second.outcomes == [("two", "completed")]
    assert 50 < of(two, "one").cooling_until.timestamp() - time.time() <= 60


@pytest.mark.django_db
@pytest.mark.parametrize("mend", ["another key", "a test that goes well"])
def test_a_mended_key_is_used_at_once(two, mend):
    two.one.default = Script(status=401)
    ask(two)
    where = two.routes["one"]
    endpoint = Endpoint.objects.create(pk=where.endpoint_id, name="one", base_url=where.base_url)
    if mend == "another key":
        store_key(endpoint, "sk-new")
    else:
        assert check_endpoint(endpoint).ok
    two.one.default = Script(text=TEXT)
    (talk,) = ask(two)
    assert talk.outcomes == [("one", "completed")]


def test_open_endpoints_are_asked_when_nobody_else_is_left(two):
    two.one.default = two.two.default = Script(status=500)
    ask(two, health.MOST_FAILURES)
    two.two.default = Script(text=TEXT)
    (talk,) = ask(two)
    assert talk.text == TEXT


def test_when_every_breaker_is_open_each_is_tried_once(two):
    two.one.default = two.two.default = Script(status=500)
    ask(two, health.MOST_FAILURES)
    (talk,) = ask(two)
    assert sorted(talk.outcomes) == [("one", "upstream_failed"), ("two", "upstream_failed")]


def test_reset_forgets(two):
    two.one.default = Script(status=500)
    ask(two, health.MOST_FAILURES)
    pk = two.routes["one"].endpoint_id
    state.reset(pk)
    assert of(two, "one") == state.EndpointState(pk)
    ask(two)
    assert len(two.one.chat_requests) == health.MOST_FAILURES + 1


def test_speed_is_measured_and_shared(two):
    two.one.default = Script(text=TEXT, first_delay=0.3)
    fast = {name: replace(where, strategy="fastest") for name, where in two.routes.items()}
    two.routes = fast
    ask(two, 4)
    assert of(two, "one").first_token_ms > 250 > of(two, "two").first_token_ms
    talks = ask(two, 3)
    assert {talk.items[-1].endpoint for talk in talks} == {"two"}


@pytest.fixture
def no_redis(monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def test_without_redis_every_process_knows_what_it_saw(two, no_redis):
    two.one.default = Script(status=500)

    async def scenario():
        return [await Talk(two.routes).listen() for _ in range(health.MOST_FAILURES + 2)]

    talks = in_a_loop(scenario)
    assert all(talk.text == TEXT for talk in talks)
    assert len(two.one.chat_requests) == health.MOST_FAILURES


def test_without_redis_states_are_unknown_and_nothing_fails(monkeypatch):
    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    monkeypatch.setattr(state, "connection", lambda: away)
    pk = uuid.uuid4()
    assert state.read_states([pk]) == {pk: state.EndpointState(pk)}
    state.reset(pk)
    state.end_cooling(pk)


def test_a_decision_asks_nobody(two):
    """What is known is read in the background, at most twice a second."""

    async def scenario():
        board = current_board()
        routes = list(two.routes.values())
        board.look(routes)
        reading = board._syncing
        await reading
        for _ in range(100):
            board.look(routes)
            assert board._syncing is None
        return time.monotonic() - board._looked_at < boards.REMEMBERED_SECONDS

    assert in_a_loop(scenario)
