"""`ask_agent` of an agent that asks another one, or hands over to it."""

import pytest

from agents.models import Agent, ToolExecution
from tests.mcp.conftest import LEGACY, MODERN, QUESTION, SAID, words
from tests.support.model_server import Script, calling
from tests.support.together import ASKING, HANDING, lead_above

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def lead(handbook):
    return lead_above(Agent.objects.get(slug="clerk"))


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_another_agent_is_asked_and_its_passages_are_cited(call, served, handbook, lead, key, mode):
    served.queue(
        calling(ASKING, text="I ask."), Script(text="25 days [1]."), Script(text=f"{SAID} [1]")
    )
    asked = call(key, "ask_agent", mode, question=QUESTION, agent="lead")
    answer = asked.structured_content
    assert answer["answer"] == f"I ask.\n\n{SAID} [1]"
    assert (answer["agent"], answer["handed_to"]) == ("lead", "")
    (cited,) = answer["citations"]
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    assert cited["url"] in words(asked)
    assert ToolExecution.objects.get().status == "done"
    assert len(served.chat_requests) == 3


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
def test_another_agent_goes_on_and_says_who_it_is(call, served, handbook, lead, key, mode):
    served.queue(calling(HANDING, text="One moment."), Script(text=f"{SAID} [1]"))
    answer = call(key, "ask_agent", mode, question=QUESTION, agent="lead").structured_content
    assert answer["answer"] == f"One moment.\n\n{SAID} [1]"
    assert (answer["agent"], answer["handed_to"]) == ("lead", "clerk")
    (cited,) = answer["citations"]
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    assert len(served.chat_requests) == 2
