import asyncio
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from gateway import services
from gateway.chat import stream_chat
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing.routes import find_routes, forget_routes, list_routes, secret_context
from gateway.types import OFFLINE, ChatRequest, Payer, PromptMessage, TextDelta
from gateway.upstream.session import close_pool
from security import resealing
from security.secrets import is_current, open_, seal
from tests.support.model_server import Script

KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def _fresh_routes():
    forget_routes()
    yield
    forget_routes()


@pytest.fixture
def environment(settings):
    def use(url="", key="", model=""):
        settings.PARLEY_MODEL_BASE_URL = url
        settings.PARLEY_MODEL_API_KEY = key
        settings.PARLEY_MODEL = model

    use()
    return use


@pytest.mark.django_db
class TestConnectFromEnvironment:
    def test_nothing_said_nothing_made(self, environment):
        assert services.connect_from_environment() is None

    def test_everything_said(self, environment, model_server):
        environment(model_server.url, KEY, "qwen 3:8b")
        endpoint = services.connect_from_environment()
        assert services.key_hint(endpoint) == "…cdef"
        (route,) = list_routes("")
        assert (route.model, route.upstream_name) == ("qwen-3:8b", "qwen 3:8b")
        assert (route.base_url, route.api_key) == (model_server.url, KEY)
        assert not model_server.requests

    def test_without_a_model_the_server_is_asked(self, environment, model_server):
        model_server.models = ["text-embed-small", "chatty"]
        environment(model_server.url)
        services.connect_from_environment()
        assert [route.upstream_name for route in list_routes("")] == ["chatty"]

    def test_an_unreachable_server_is_kept_with_the_reason(self, environment):
        environment("http://127.0.0.1:9/v1")
        endpoint = services.connect_from_environment()
        assert "Nothing listens" in endpoint.last_error
        assert list_routes("") == ()

    def test_only_a_key_means_openai(self, environment):
        environment(key=KEY)
        assert services.connect_from_environment().base_url == services.OPENAI_URL
        assert list_routes("")[0].upstream_name == services.OPENAI_MODEL

    def test_once(self, environment, model_server):
        environment(model_server.url, KEY, "m")
        assert services.connect_from_environment() is not None
        environment(model_server.url, "another", "other")
        assert services.connect_from_environment() is None
        assert Endpoint.objects.count() == Model.objects.count() == 1


def endpoint(name="one", **fields):
    return Endpoint.objects.create(name=name, **({"base_url": "http://x/v1"} | fields))


@pytest.mark.django_db
class TestRoutes:
    def test_by_priority_and_only_what_is_enabled(self):
        model = Model.objects.create(name="m")
        off = endpoint("off", is_enabled=False)
        for name, priority, where in [
            ("b", 2, endpoint("two")),
            ("a", 1, endpoint()),
            ("c", 0, off),
        ]:
            Deployment.objects.create(
                model=model, endpoint=where, upstream_name=name, priority=priority
            )
        Deployment.objects.create(
            model=model, endpoint=endpoint("four"), upstream_name="d", is_enabled=False
        )
        assert [route.upstream_name for route in list_routes("m")] == ["a", "b"]

    def test_the_default_stands_in_for_no_name_and_for_one_that_is_gone(self):
        services.connect_model(endpoint(), "m", is_default=True)
        assert list_routes("")[0].model == list_routes("gone")[0].model == "m"
        assert list_routes(OFFLINE) == ()

    def test_one_default_at_a_time_and_embeddings_are_not_chat(self):
        one = endpoint()
        services.connect_model(one, "m", is_default=True)
        services.connect_model(one, "n", is_default=True)
        services.connect_model(one, "n", is_default=True)
        assert [m.name for m in Model.objects.filter(is_default=True)] == ["n"]
        embedding = Model.objects.create(name="e", kind=Model.Kind.EMBEDDING)
        Deployment.objects.create(model=embedding, endpoint=one, upstream_name="e")
        assert list_routes("e")[0].model == "n"

    def test_limits_of_the_row_are_kept(self):
        where = endpoint(
            connect_timeout=1, first_token_timeout=2, idle_timeout=3, max_concurrency=4
        )
        services.connect_model(where, "m", is_default=True)
        (route,) = list_routes("")
        assert (route.timeouts.connect, route.timeouts.first_token) == (1, 2)
        assert (route.timeouts.idle, route.max_concurrency) == (3, 4)

    def test_17_a_key_moved_to_another_row_is_not_used(self):
        one, two = endpoint(), endpoint("two")
        services.store_key(one, KEY)
        two.secret = one.secret
        two.save()
        services.connect_model(two, "m", is_default=True)
        assert list_routes("")[0].api_key == ""
        assert services.key_hint(two) == "?"


@pytest.mark.django_db
def test_18_rotation_of_keys_can_stop_anywhere(settings):
    settings.PARLEY_SECRET_KEYS = ["a" * 40]
    rows = [endpoint(str(n)) for n in range(3)]
    for row in rows:
        services.store_key(row, KEY)
    services.store_key(endpoint("none"), "")
    settings.PARLEY_SECRET_KEYS = ["b" * 40, "a" * 40]
    rows[1].secret = seal(KEY, secret_context(rows[1].id))  # what an interrupted run had done
    rows[1].save()
    assert resealing.reseal_all() == 2
    assert resealing.reseal_all() == 0
    for row in rows:
        row.refresh_from_db()
        assert is_current(row.secret)
        assert open_(row.secret, secret_context(row.id)) == KEY


@pytest.mark.django_db(transaction=True)
def test_a_stream_finds_its_route_and_leaves_a_usage_row(model_server):
    where = endpoint(base_url=model_server.url)
    services.store_key(where, KEY)
    services.connect_model(where, "up", is_default=True)
    model_server.api_key = KEY
    model_server.queue(Script(text="Hello"), Script(status=400))
    turn, account = uuid4(), uuid4()
    request = ChatRequest(
        "", (PromptMessage("user", "hi"),), turn_id=turn, payer=Payer(account), question="hi"
    )

    async def scenario():
        first = [item async for item in stream_chat(request)]
        with pytest.raises(Exception, match="refuses the request"):
            [item async for item in stream_chat(request)]
        await close_pool()
        return first

    items = async_to_sync(scenario)()
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == "Hello"
    failed, done = Usage.objects.order_by("-id")
    assert (done.turn_id, done.account_id) == (turn, account)
    assert (done.model_name, done.endpoint_name, done.outcome) == ("up", "one", "completed")
    assert (done.prompt_tokens, done.completion_tokens) == (10, 5)
    assert done.first_token_ms is not None
    assert failed.outcome == "bad_request"


@pytest.mark.django_db(transaction=True)
def test_routes_are_remembered_for_a_moment(django_assert_num_queries):
    services.connect_model(endpoint(), "m", is_default=True)

    async def twice():
        return await find_routes("m"), await find_routes("m")

    first, second = async_to_sync(twice)()
    assert first is second
    services.connect_model(endpoint("two"), "m")
    assert len(asyncio.run(find_routes("m"))) == 2


@pytest.mark.django_db
def test_calls_that_test_a_connection_are_in_the_usage_as_tests(model_server):
    one = endpoint(base_url=model_server.url)
    services.connect_model(one, "scripted")
    Deployment.objects.update(prompt_price=1, completion_price=1, currency="EUR")
    services.check_endpoint(one)
    rows = Usage.objects.all()
    assert len(rows) == len(model_server.chat_requests) > 3
    assert {(row.purpose, row.model_name, row.endpoint_name, row.account_id) for row in rows} == {
        ("probe", "scripted", "one", None)
    }
    known = [row for row in rows if row.prompt_tokens]
    assert known
    assert all(row.cost > 0 and row.currency == "EUR" for row in known)
