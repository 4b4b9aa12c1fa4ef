"""A turn through an alias: the answer says which model gave it and why, the choice is kept."""

import asyncio

import orjson
import pytest
from django.utils import translation

from agents.memory.run import run_with_memory
from chat.models import Turn
from chat.services import start_turn
from events.hub import current_hub
from gateway.complexity.aliases import forget_aliases
from gateway.complexity.recording import recorded
from gateway.models import Deployment, Endpoint, Model, RoutingAlias, RoutingChoice, Usage
from gateway.routing.routes import forget_routes
from observability.db import run_sync
from security.sentences import said
from tests.support.model_server import ModelServer

from .stage import play, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(builtin, settings):
    """Three models at one endpoint; the default model is the alias."""
    settings.PARLEY_WRITE_TITLES = False
    with ModelServer() as server:
        endpoint = Endpoint.objects.create(name="here", base_url=server.url)
        models = [Model.objects.create(name=name) for name in ("small", "middle", "large")]
        for model in models:
            Deployment.objects.create(model=model, endpoint=endpoint, upstream_name=model.name)
        name = Model.objects.create(name="auto", is_default=True)
        small, middle, large = models
        RoutingAlias.objects.create(model=name, simple=small, medium=middle, hard=large)
        for forget in (forget_routes, forget_aliases):
            forget()
        yield server
        for forget in (forget_routes, forget_aliases):
            forget()


def ask(person, text):
    found = []

    async def scenario():
        async with running(run_with_memory):
            turn = await run_sync(start_turn, person, None, text)
            async with asyncio.timeout(30):
                async for _row in current_hub().subscribe(turn.pk):
                    pass
            await recorded()
            found.append(turn.pk)

    play(scenario)
    return Turn.objects.select_related("answer").get(pk=found[0])


def test_a_turn_goes_to_the_model_for_its_question_and_says_why(alice, server):
    easy = ask(alice, "What is a lease?")
    assert (easy.status, easy.answer.model_name) == ("completed", "small")
    hard = ask(
        alice, "Compare both and prove why this terminates:\n```\ndef f(n): return f(n)\n```"
    )
    assert hard.answer.model_name == "large"
    assert [request["model"] for request in server.chat_requests] == ["small", "large"]
    for kept in (hard.answer.usage["why"], orjson.loads(Usage.objects.get(turn_id=hard.pk).why)):
        assert "hard: contains code, " in said(kept)
        with translation.override("zh-hant"):
            assert said(kept).startswith("困難：")
    choice = RoutingChoice.objects.get(turn_id=hard.pk)
    assert (choice.tier, choice.account_id) == ("hard", alice.pk)
    assert RoutingChoice.objects.get(turn_id=easy.pk).tier == "simple"
