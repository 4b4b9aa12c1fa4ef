"""Budgets around real calls: to a scripted server on loopback, counted in Postgres."""

import asyncio
from contextlib import aclosing
from decimal import Decimal
from uuid import uuid4

import numpy as np
import pytest

from accounts.budgets.keeper import BUDGETS
from accounts.budgets.models import Budget, BudgetHold
from gateway.chat import stream_chat
from gateway.embedding import batching
from gateway.embedding.batching import Batcher
from gateway.errors import BudgetExhausted, GatewayError
from gateway.metering.recording import record_call
from gateway.models import Usage
from gateway.routing.errand import Trip
from gateway.spending import USEFUL_ANSWER
from gateway.types import (
    ChatRequest,
    Completed,
    EndpointSwitched,
    Payer,
    PromptMessage,
    Route,
    TextDelta,
    TokenUsage,
)
from gateway.upstream.session import close_pool
from tests.accounts.budgets.conftest import assert_sound, balance, demand, together
from tests.support.model_server import ModelServer, Script

pytestmark = pytest.mark.django_db(transaction=True)

PAYER = Payer(budget=BUDGETS)
QUESTION = (PromptMessage("user", "What is a lease of thirty seconds good for?"),)
DEAR = {"prompt_price": Decimal(10), "completion_price": Decimal(10), "currency": "EUR"}
CHEAP = {"prompt_price": Decimal(1), "completion_price": Decimal(1), "currency": "EUR"}
FREE = {"prompt_price": Decimal(0), "completion_price": Decimal(0), "currency": "USD"}


@pytest.fixture(scope="module")
def server():
    with ModelServer() as running:
        yield running


def route(server, name="dear", **fields) -> Route:
    usual = {"model": name, "upstream_name": "up", "endpoint": name, "base_url": server.url}
    return Route(**usual | fields)


def ask(*routes, model="", stop_after=None, max_tokens=100, **request):
    """The items of one answer, and the error if it failed; left after so many items."""
    items = []

    async def find(name):
        return tuple(one for one in routes if one.model == (name or routes[0].model))

    async def listen():
        asked = ChatRequest(model, QUESTION, max_tokens=max_tokens, payer=PAYER, **request)
        try:
            async with aclosing(stream_chat(asked, routes=find, record=record_call)) as answer:
                async for item in answer:
                    items.append(item)
                    if stop_after and len(items) >= stop_after:
                        return None
        except GatewayError as error:
            return error
        finally:
            await close_pool()
        return None

    return items, asyncio.run(listen())


def test_a_call_is_settled_to_what_the_server_counted(budget, server):
    spring = budget()
    items, error = ask(route(server))
    assert error is None
    assert isinstance(items[-1], Completed)
    assert (balance(spring).held, balance(spring).settled) == (0, 15)
    assert not BudgetHold.objects.exists()


def test_a_refused_call_is_never_made(budget, server):
    budget(limit=50)
    server.reset()
    items, error = ask(route(server))
    assert isinstance(error, BudgetExhausted)
    assert items == []
    assert server.chat_requests == []
    assert not Usage.objects.exists()


def test_s42_who_leaves_before_the_end_still_pays(budget, server):
    """Security 42: a client that disconnects just before the end of the stream."""
    spring = budget()
    server.reset()
    server.queue(Script(text="word " * 400, delay=0.02, usage=None))
    items, _ = ask(route(server), stop_after=8)
    said = "".join(item.text for item in items if isinstance(item, TextDelta))
    row = Usage.objects.get()
    assert row.outcome == "cancelled"
    assert balance(spring).held == 0
    assert balance(spring).settled >= len(said) // 4 + 5, "the prompt and what was said"


def test_a_call_that_came_to_nothing_is_released(budget, server):
    spring = budget()
    server.reset()
    server.queue(*[Script(status=500, error={"error": {"message": "no"}})] * 4)
    ask(route(server))
    assert set(Usage.objects.values_list("outcome", flat=True)) == {"upstream_failed"}
    assert (balance(spring).held, balance(spring).settled) == (0, 0)


def test_each_attempt_is_charged_to_its_real_model(budget, server):
    """What the first said before it broke off is settled at its price; the second reserves anew."""
    spring = budget(unit="money", currency="EUR", limit=1)
    server.reset()
    server.queue(
        Script(text="one two three four five six", cut_after=5, usage=None),
        Script(usage={"prompt_tokens": 100, "completion_tokens": 50}),
    )
    first, second = (
        route(server, "m", endpoint="a", **DEAR),
        route(server, "m", endpoint="b", **CHEAP),
    )
    _, error = ask(first, second)
    assert error is None
    settled = balance(spring).settled
    of_second = Decimal(150) / 1_000_000
    of_first = settled - of_second
    assert Decimal("0.0001") < of_first < Decimal("0.0008"), (
        "about 20 tokens at ten times the price"
    )
    assert balance(spring).held == 0
    ids = set(Usage.objects.values_list("id", flat=True))
    assert len(ids) == 2


def test_an_unreachable_endpoint_costs_nothing_and_the_next_answers(budget, server):
    spring = budget()
    dead = route(server, "m", endpoint="dead", base_url="http://127.0.0.1:9/v1")
    _, error = ask(dead, route(server, "m", endpoint="alive"))
    assert error is None
    assert balance(spring).settled == 15
    ask(dead)
    assert balance(spring).settled == 15
    assert_sound()


class TestFallingBack:
    def test_not_unless_the_budget_says_so(self, budget, server):
        budget(unit="money", currency="EUR", limit=Decimal("0.0005"))
        _, error = ask(route(server, "m", **DEAR), route(server, "m", endpoint="b", **CHEAP))
        assert isinstance(error, BudgetExhausted)

    def test_a_cheaper_deployment_answers(self, budget, server):
        spring = budget(
            unit="money", currency="EUR", limit=Decimal("0.0005"), falls_back=True
        )  # fmt: skip
        items, error = ask(route(server, "m", **DEAR), route(server, "m", endpoint="b", **CHEAP))
        assert error is None
        (switched,) = [item for item in items if isinstance(item, EndpointSwitched)]
        assert (switched.switched_to, switched.reason) == ("b", "budget_exhausted")
        assert "Spring" in switched.detail
        assert balance(spring).settled == Decimal(15) / 1_000_000

    def test_the_model_that_the_budget_names_answers(self, budget, server):
        """Also one of the same endpoint: the reader is told."""
        budget(
            unit="money", currency="EUR", limit=0, falls_back=True, fall_back_to="own"
        )  # fmt: skip
        dear = route(server, "dear", endpoint="same", **DEAR)
        items, error = ask(dear, route(server, "own", endpoint="same", **FREE), model="dear")
        assert error is None
        assert [type(item) for item in items[:1]] == [EndpointSwitched]
        assert items[-1].model == "own"

    def test_it_has_the_labels_that_are_demanded_or_does_not_answer(self, budget, server):
        budget(unit="money", currency="EUR", limit=0, falls_back=True, fall_back_to="own")
        dear = route(server, "dear", labels=frozenset({"eu"}), **DEAR)
        _, error = ask(
            dear, route(server, "own", **FREE), model="dear", required_labels=frozenset({"eu"})
        )
        assert error is not None
        assert error.type == "no_endpoint_allowed"

    def test_when_nothing_is_cheap_enough_the_refusal_stays(self, budget, server):
        budget(unit="money", currency="EUR", limit=0, falls_back=True, fall_back_to="cheap")
        _, error = ask(route(server, **DEAR), route(server, "cheap", **CHEAP), model="dear")
        assert isinstance(error, BudgetExhausted)


def test_a_shared_call_for_vectors_charges_each_order_its_part(budget, server, monkeypatch):
    """Two texts of two people wait for a call and share the next; each pays for theirs."""
    person = [Payer(account_id=one, budget=BUDGETS) for one in (uuid4(), uuid4())]
    each = budget(scope="user", limit=1000)
    money = budget(scope="user", limit=1, unit="money", currency="USD", name="Money")
    priced = route(
        server, prompt_price=Decimal(1000), request_price=Decimal("0.04"), currency="USD"
    )
    monkeypatch.setattr(batching, "LONGEST_WAIT", 60.0)
    batchers = []

    async def send(_route, texts):
        # The first call comes back when both of the others wait for it.
        while texts == ["x"] and len(batchers[0]._waiting) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        tokens = sum(map(len, texts))
        return np.ones((len(texts), 4), np.float32), TokenUsage(prompt_tokens=tokens)

    async def embed():
        batchers.append(batcher := Batcher(send))

        async def nobody(*_):
            return None

        first = asyncio.ensure_future(batcher.embed(Trip(priced), ["x"], Payer(), record=nobody))
        await asyncio.sleep(0.02)
        trips = [Trip(priced)] * 2
        await asyncio.gather(
            first,
            batcher.embed(trips[0], ["a" * 10], person[0], record=nobody),
            batcher.embed(trips[1], ["b" * 30], person[1], record=nobody),
        )

    asyncio.run(embed())
    charged = sorted(balance(each, one.account_id).settled for one in person)
    assert charged == [10, 30]
    paid = sorted(balance(money, one.account_id).settled for one in person)
    assert paid == [Decimal("0.02"), Decimal("0.06")], "the price of the request is shared, too"
    assert_sound()


def test_an_answer_without_a_limit_is_held_to_what_is_left(budget, server):
    """Four thousand tokens would not fit; what is left is enough to say something."""
    spring = budget(limit=1000)
    _items, error = ask(route(server), max_tokens=None)
    assert error is None
    sent = server.chat_requests[-1]["max_tokens"]
    assert 900 < sent < 1000, "all but the prompt"
    prompt = 1000 - sent
    assert balance(spring).held == 0
    Budget.objects.update(limit=balance(spring).settled + prompt + USEFUL_ANSWER)
    ask(route(server), max_tokens=None)
    assert server.chat_requests[-1]["max_tokens"] == USEFUL_ANSWER
    Budget.objects.update(limit=balance(spring).settled + prompt + USEFUL_ANSWER - 1)
    _items, error = ask(route(server), max_tokens=None)
    assert isinstance(error, BudgetExhausted)
    assert error.needed == prompt + USEFUL_ANSWER
    assert_sound()


def test_where_enough_is_left_or_a_limit_was_set_nothing_is_cut(budget, server):
    budget(limit=100_000)
    ask(route(server), max_tokens=None)
    assert "max_tokens" not in server.chat_requests[-1]
    Budget.objects.update(limit=1000)
    _items, error = ask(route(server), max_tokens=5000)
    assert isinstance(error, BudgetExhausted), "five thousand were asked for"
    _items, error = ask(route(server), max_tokens=None, extra={"n": 2})
    assert isinstance(error, BudgetExhausted)


def test_money_holds_an_answer_to_the_tokens_that_it_buys(budget, server):
    spring = budget(unit="money", currency="EUR", limit="0.01")
    budget(name="Soft", limit=10, is_hard=False)
    _items, error = ask(route(server, **DEAR), max_tokens=None)
    assert error is None
    assert 900 < server.chat_requests[-1]["max_tokens"] < 1000  # a thousand tokens cost a cent
    assert balance(spring).settled <= Decimal("0.01")


def test_a_model_is_not_cut_short_where_a_cheaper_one_may_answer_at_length(budget, server):
    budget(unit="money", currency="EUR", limit="0.01", falls_back=True, fall_back_to="cheap")
    items, error = ask(
        route(server, **DEAR), route(server, "cheap", **CHEAP), model="dear", max_tokens=None
    )
    assert (error, items[-1].model) == (None, "cheap")
    assert "max_tokens" not in server.chat_requests[-1]


def test_calls_at_once_never_take_more_than_there_is_however_they_are_cut(budget, server):
    spring = budget(limit=5000)
    asked = [demand(prompt=10, completion=4096, least_tokens=256) for _ in range(12)]
    holds = [one for one in together(*(BUDGETS.reserve(one) for one in asked))
             if not isinstance(one, BudgetExhausted)]  # fmt: skip
    assert sorted(hold.completion_tokens for hold in holds) == [5000 - 4106 - 10, 4096]
    assert balance(spring).held == 5000
    assert_sound()
    together(*(BUDGETS.release(hold) for hold in holds))
    assert balance(spring).held == 0
