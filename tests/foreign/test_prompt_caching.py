"""A server that is not ours reads the beginning of a conversation once, through agents' turns."""

import asyncio

import pytest

from agents.loop import run_agent
from agents.models import Agent
from agents.selectors import agent_spec
from agents.types import AgentTask, PastMessage, RetrievalCompleted, UsageRecorded
from gateway.models import Endpoint, Usage
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from knowledge.types import SearchResult
from security.ids import new_id
from tests.agents.passages import passage

RULES_TOKENS = 200  # at least


@pytest.mark.django_db(transaction=True)
def test_the_second_turn_of_an_agent_is_read_from_where_the_first_ended(alice, llama_url):
    """Each turn finds other passages; rules and history are read once all the same."""
    endpoint = Endpoint.objects.create(name="llama", base_url=llama_url)
    connect_model(endpoint, "tiny", is_default=True)
    forget_routes()
    agent = Agent.objects.create(
        owner=alice, name="Keeper", slug="keeper", max_answer_tokens=8, temperature=0.0,
        instructions="Answer about the lighthouse.",
    )  # fmt: skip
    conversation, spec = new_id(), agent_spec(agent)

    async def ask(question, history, found):
        async def search(*_args, **_more):
            return SearchResult(question, (passage(found, 0, found[:4]),), 1.0)

        task = AgentTask(spec, alice, question, history, conversation_id=conversation)
        steps = [step async for step in run_agent(task, search=search)]
        assert any(isinstance(step, RetrievalCompleted) for step in steps)
        return next(step for step in steps if isinstance(step, UsageRecorded))

    async def talk():
        try:
            first = await ask("How fast is the lamp?", (), "The lamp turns in twelve seconds.")
            said = (PastMessage("user", "How fast is the lamp?"), PastMessage("assistant", "Fast."))
            second = await ask("And the horn?", said, "The horn sounds in the fog.")
            more = (PastMessage("user", "And the horn?"), PastMessage("assistant", "Loud."))
            third = await ask("Who pays?", said + more, "The state pays for the oil.")
            return first, second, third
        finally:
            await close_pool()

    first, second, third = asyncio.run(talk())
    assert (first.cached_tokens or 0) < second.cached_tokens
    assert RULES_TOKENS < second.cached_tokens < third.cached_tokens
    assert third.cached_tokens < third.prompt_tokens
    told = Usage.objects.order_by("id").values_list("cached_tokens", flat=True)
    assert [count or 0 for count in told] == [
        step.cached_tokens or 0 for step in (first, second, third)
    ]
    forget_routes()
