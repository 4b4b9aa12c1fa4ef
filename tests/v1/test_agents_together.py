"""Programs that ask an agent which asks another one, or hands over to it."""

import pytest

from accounts import tokens
from accounts.models import Grant
from accounts.services import share
from agents.models import Agent, ToolExecution
from gateway.models import Usage
from tests.support.model_server import Script, calling
from tests.support.together import ASKING, HANDING, lead_above
from tests.v1.test_agents import ASKED, SAID, handbook

__all__ = ["handbook"]
pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
BOTH = f"I ask.\n\n{SAID} [1]"
ON = f"One moment.\n\n{SAID} [1]"


@pytest.fixture
def lead(handbook):
    return lead_above(Agent.objects.get(slug="clerk"))


def asked_scripts():
    return (
        calling(ASKING, text="I ask."),
        Script(text="25 days [1]."),  # the clerk's
        Script(text=f"{SAID} [1]", token_size=5),
    )


def handed_scripts():
    return calling(HANDING, text="One moment."), Script(text=f"{SAID} [1]", token_size=5)


def test_another_agent_is_asked_and_its_passages_are_cited(client, served, handbook, lead):
    served.queue(*asked_scripts() * 3)
    said = client.chat.completions.create(model="lead", messages=ASKED)
    message = said.choices[0].message
    assert message.content == BOTH
    (cited,) = message.citations
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    assert not message.tool_calls
    assert not hasattr(message, "handed_to")
    assert said.choices[0].finish_reason == "stop"
    first, helper, last = served.chat_requests
    assert [one["function"]["name"] for one in first["tools"]] == [
        "ask_clerk",
        "hand_over_to_clerk",
    ]
    assert ASKING[1]["question"] in helper["messages"][-1]["content"]
    assert "25 days [1]." in last["messages"][-1]["content"]

    with client.chat.completions.stream(model="lead", messages=ASKED) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == BOTH
    assert not any(delta.tool_calls for delta in deltas)
    assert deltas[-1].citations == [cited]

    response = client.responses.create(model="lead", input=ASKED[0]["content"])
    assert response.output_text == BOTH
    (annotation,) = response.output[0].content[0].annotations
    assert annotation.file_id == str(handbook.pk)

    assert {one.status for one in ToolExecution.objects.all()} == {"done"}
    paid = list(Usage.objects.filter(purpose="api").values_list("agent_id", flat=True))
    clerk = Agent.objects.get(slug="clerk")
    assert (paid.count(clerk.pk), paid.count(lead.pk)) == (3, 6)


def test_another_agent_goes_on_and_says_who_it_is(client, served, handbook, lead):
    served.queue(*handed_scripts() * 3)
    message = client.chat.completions.create(model="lead", messages=ASKED).choices[0].message
    assert (message.content, message.handed_to) == (ON, "clerk")
    (cited,) = message.citations
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    question = served.chat_requests[1]["messages"][-1]["content"]
    assert "It is about vacation." in question
    assert question.endswith(ASKED[0]["content"])

    with client.chat.completions.stream(model="lead", messages=ASKED) as stream:
        deltas = [e.chunk.choices[0].delta for e in stream if e.type == "chunk" and e.chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == ON
    assert (deltas[-1].citations, deltas[-1].handed_to) == ([cited], "clerk")

    response = client.responses.create(model="lead", input=ASKED[0]["content"])
    assert (response.output_text, response.handed_to) == (ON, "clerk")


def test_an_agent_that_the_caller_may_not_use_is_not_offered(
    client, served, handbook, lead, charlie, alice
):
    Agent.objects.filter(pk=lead.pk).update(tools=["calculate"])
    share(lead, charlie, Grant.Role.READER, by=alice)
    theirs = client.with_options(api_key=tokens.issue(charlie, "t")[1])
    served.queue(calling(ASKING, HANDING), Script(text="I do not know."))
    said = theirs.chat.completions.create(model="lead", messages=ASKED)
    assert said.choices[0].message.content == "I do not know."
    first, last = served.chat_requests
    assert [one["function"]["name"] for one in first["tools"]] == ["calculate"]
    told = [m["content"] for m in last["messages"] if m["role"] == "tool"]
    assert len(told) == 2
    assert SAID not in str(told)
    assert {one.status for one in ToolExecution.objects.all()} == {"refused"}
