"""The loop with nothing given by the test: real documents, real search, real database."""

import asyncio
import io

import pytest

from agents.loop import run_agent
from agents.selectors import agent_spec
from agents.services import ensure_builtin_agents
from agents.types import AgentTask, CitationAdded, Finished, RetrievalCompleted, TextDelta
from events import jobs
from gateway.models import Endpoint, Usage
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from knowledge import services
from knowledge.models import DocumentText
from security.ids import new_id
from tests.support.model_server import Script, model_server

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = """# Lighthouse guide

## Lamp

The lamp of the lighthouse turns once every twelve seconds. Its lens was made in Paris in 1862.

## 看守人

灯塔看守人每天日落前点灯。雾天时，雾号每三十秒响一次。
"""


@pytest.fixture
def guide(alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    forget_routes()
    collection = services.create_collection(alice, "Guides")
    document, _ = services.add_document(alice, collection, io.BytesIO(GUIDE.encode()), "guide.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    yield document
    forget_routes()


def ask(user, question, **fields):
    agent = agent_spec(ensure_builtin_agents(user))
    task = AgentTask(agent, user, question, **fields)

    async def listen():
        try:
            return [step async for step in run_agent(task)]
        finally:
            await close_pool()

    return asyncio.run(listen())


def of(steps, kind):
    return [step for step in steps if isinstance(step, kind)]


def text_of(steps):
    return "".join(step.text for step in of(steps, TextDelta))


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("How often does the lamp turn?", "The lamp of the lighthouse turns once every twelve"),
        ("雾号多久响一次？", "雾天时，雾号每三十秒响一次。"),
        ("霧號多久響一次？", "雾天时，雾号每三十秒响一次。"),
    ],
)
def test_s56_a_quotation_opens_at_its_place(alice, guide, question, quote):
    steps = ask(alice, question)
    assert quote in text_of(steps)
    stored = DocumentText.objects.get(document=guide).text
    citations = of(steps, CitationAdded)
    assert any(citation.quote.startswith(quote) for citation in citations)
    for citation in citations:
        assert stored[citation.start : citation.end] == citation.quote
        assert citation.document_id == guide.id
    assert of(steps, Finished)[0].is_offline


def test_nobody_else_is_told(alice, charlie, guide):
    steps = ask(charlie, "How often does the lamp turn?")
    assert of(steps, RetrievalCompleted)[0].passages == ()
    assert "Nothing in the documents" in text_of(steps)


def test_a_connected_model_answers_from_the_passages(alice, guide, model_server):
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    model_server.queue(Script(text="It turns every twelve seconds【1】."))
    turn_id = new_id()
    steps = ask(alice, "How often does the lamp turn?", turn_id=turn_id)
    assert text_of(steps) == "It turns every twelve seconds[1]."
    (citation,) = of(steps, CitationAdded)
    assert "every twelve seconds" in citation.quote
    assert "every twelve seconds" in model_server.chat_requests[0]["messages"][-1]["content"]
    usage = Usage.objects.get()
    assert (usage.turn_id, usage.account_id) == (turn_id, alice.id)
