"""The clock looks after endpoints whose breaker is open."""

import time

import pytest

from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing import checks, state
from gateway.routing.checks import check_open_endpoints
from gateway.routing.health import Health
from observability.doorbell import connection
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(model_server):
    made = Endpoint.objects.create(name="one", base_url=model_server.url)
    set_health(made, Health(reopens_at=time.time() + 60, openings=3, error_rate=0.9))
    return made


def set_health(endpoint, health):
    connection().hset(state.key(endpoint.pk), mapping=state.numbers_of(health))


def look_again(endpoint):
    connection().hdel(state.key(endpoint.pk), "check_at")
    check_open_endpoints()
    return state.read_states([endpoint.pk])[endpoint.pk]


@pytest.mark.parametrize("script", [None, Script(status=404), Script(status=401)])
def test_one_that_answers_is_tried_again_at_once(endpoint, model_server, script):
    model_server.models_script = script
    assert look_again(endpoint).breaker == "half_open"
    assert [r.path for r in model_server.requests] == ["/v1/models"]


@pytest.fixture
def serving(endpoint):
    model = Model.objects.create(name="m")
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="up")
    return endpoint


def test_one_whose_model_says_a_word_is_well(serving, model_server):
    connection().zadd(state.key(serving.pk, "failures"), {str(n): time.time() for n in range(9)})
    assert look_again(serving).breaker == "closed"
    (asked,) = model_server.chat_requests
    assert (asked["model"], asked["max_tokens"]) == ("up", 1)
    check_open_endpoints()
    assert len(model_server.chat_requests) == 1
    row = Usage.objects.get()
    assert (row.model_name, row.endpoint_name, row.purpose) == ("m", "one", "probe")


@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_list_of_models_alone_closes_nothing(serving, model_server, status):
    model_server.default = Script(status=status)
    assert look_again(serving).breaker == "half_open"
    check_open_endpoints()  # not due yet
    assert len(model_server.chat_requests) == 1
    model_server.default = Script(text="Hi")
    assert look_again(serving).breaker == "closed"


def test_one_that_does_not_is_left_alone_for_longer_each_time(endpoint, model_server):
    model_server.models_script = Script(status=503)
    pauses = [look_again(endpoint).reopens_at.timestamp() - time.time() for _ in range(7)]
    assert len(model_server.requests) == 7
    assert pauses[0] < pauses[1] < pauses[2] < checks.LONGEST_PAUSE + checks.MARGIN_SECONDS + 1
    check_open_endpoints()
    assert len(model_server.requests) == 7  # it is not due yet


def test_a_server_that_says_nothing_holds_the_clock_for_a_moment(
    endpoint, model_server, monkeypatch
):
    monkeypatch.setattr(checks, "ANSWER_SECONDS", 0.2)
    model_server.models_script = Script(head_delay=30)
    assert look_again(endpoint).breaker == "open"


def test_what_is_well_or_off_is_not_asked(endpoint, model_server):
    set_health(endpoint, Health())
    check_open_endpoints()
    set_health(endpoint, Health(reopens_at=time.time() + 60))
    Endpoint.objects.update(is_enabled=False)
    check_open_endpoints()
    assert not model_server.requests
