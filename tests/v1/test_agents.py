"""An agent answers programs from documents, with citations; only what the caller may see."""

from io import BytesIO

import openai
import pytest

from accounts import tokens
from agents.models import Agent, ToolExecution
from events import jobs
from gateway.embedding.embedder import get_embedder
from knowledge import services as knowledge
from tests.support.model_server import Script, calling

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
SAID = "Employees have 25 days of vacation a year."
ASKED = [{"role": "user", "content": "How many days of vacation do employees have?"}]


@pytest.fixture
def handbook(served, alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    get_embedder().embed(["warm up"])
    shelf = knowledge.create_collection(alice, "Handbook", "")
    text = BytesIO(f"# Vacation\n\n{SAID}\n".encode())
    document, _ = knowledge.add_document(alice, shelf, text, "vacation.md")
    jobs.run(str(document.job_id))
    agent = Agent.objects.create(owner=alice, name="Clerk", slug="clerk")
    agent.collections.set([shelf])
    return document


def test_citations_come_with_the_answer(client, served, handbook, charlie):
    served.default = Script(text=f"{SAID} [1]", token_size=5)
    whole = client.chat.completions.create(model="clerk", messages=ASKED)
    assert whole.choices[0].message.content == f"{SAID} [1]"
    (cited,) = whole.choices[0].message.citations
    assert (cited["n"], cited["document_id"]) == (1, str(handbook.pk))
    assert "25 days of vacation" in cited["quote"]
    with client.chat.completions.stream(model="clerk", messages=ASKED) as stream:
        last = [event.chunk for event in stream if event.type == "chunk"][-1]
        final = stream.get_final_completion()
    assert last.choices[0].delta.citations == final.choices[0].message.citations == [cited]
    with client.responses.stream(model="clerk", input=ASKED[0]["content"]) as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    (annotation,) = response.output[0].content[0].annotations
    assert (annotation.type, annotation.file_id) == ("file_citation", str(handbook.pk))
    assert response.output_text[annotation.index :].startswith("[1]")
    assert "response.output_text.annotation.added" in kinds
    stranger = client.with_options(api_key=tokens.issue(charlie, "t")[1])
    with pytest.raises(openai.NotFoundError):
        stranger.chat.completions.create(model="clerk", messages=ASKED)


def test_an_agent_needs_no_model(client, served, handbook):
    """With every endpoint out of order its documents are quoted, and the answer says so."""
    served.default = Script(status=503)
    said = client.chat.completions.create(model="clerk", messages=ASKED).choices[0].message
    assert SAID in said.content
    assert said.citations
    assert "quoted" in said.notice
    with pytest.raises(openai.InternalServerError) as error:
        client.chat.completions.create(model="scripted", messages=ASKED)
    assert error.value.status_code in {502, 503}


def test_an_agent_calls_its_tools_for_programs_too(client, served, plain):
    """What would act asks nobody here: it is refused, and the answer says what is missing."""
    Agent.objects.filter(pk=plain.pk).update(tools=["calculate", "fetch_page"])
    calls = (("calculate", {"expression": "6*7"}), ("fetch_page", {"url": "https://example.org/"}))
    served.queue(calling(*calls, text="Let me see."), Script(text="It is 42; the page is not."))
    asked = [{"role": "user", "content": "What is six times seven, and what does the page say?"}]
    whole = client.chat.completions.create(model="plain", messages=asked)
    assert whole.choices[0].message.content == "Let me see.\n\nIt is 42; the page is not."
    assert whole.choices[0].finish_reason == "stop"
    assert not whole.choices[0].message.tool_calls
    assert whole.usage.prompt_tokens == 20
    told = [m["content"] for m in served.chat_requests[-1]["messages"] if m["role"] == "tool"]
    assert told[0] == "6*7 = 42"
    assert told[1].startswith("The call is not allowed:")
    assert {one.status for one in ToolExecution.objects.all()} == {"done", "denied"}
    served.queue(calling(calls[0]), Script(text="It is 42."))
    with client.chat.completions.stream(model="plain", messages=asked) as stream:
        assert stream.get_final_completion().choices[0].message.content == "It is 42."


def test_every_way_of_the_official_client_drives_an_agent_with_tools(client, served, plain):
    """Its tools are its own business: who asks sees words, one stop, and what all of it took."""
    Agent.objects.filter(pk=plain.pk).update(tools=["calculate"])
    turn = (calling(("calculate", {"expression": "6*7"}), text="Let me see."),
            Script(text="It is 42.", token_size=3))  # fmt: skip
    said, asked = "Let me see.\n\nIt is 42.", [{"role": "user", "content": "6*7?"}]
    served.queue(*turn * 5)
    chunks = list(
        client.chat.completions.create(
            model="plain", messages=asked, stream=True, stream_options={"include_usage": True}
        )
    )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == said
    assert not any(delta.tool_calls for delta in deltas)
    ends = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert [end for end in ends if end] == ["stop"]
    assert chunks[-1].usage.prompt_tokens == 20
    parsed = client.chat.completions.parse(model="plain", messages=asked)
    assert parsed.choices[0].message.content == said
    whole = client.responses.create(model="plain", input="6*7?")
    assert (whole.output_text, whole.status, whole.error) == (said, "completed", None)
    assert [item.type for item in whole.output] == ["message"]
    with client.responses.stream(model="plain", input="6*7?") as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert (text, stream.get_final_response().output_text) == (said, said)
    raw = client.chat.completions.with_raw_response.create(model="plain", messages=asked)
    assert raw.headers["X-Request-ID"]
    assert raw.parse().choices[0].message.content == said
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="plain", messages=asked,
            tools=[{"type": "function", "function": {"name": "weather", "parameters": {}}}],
        )  # fmt: skip
    assert refused.value.param == "tools"
