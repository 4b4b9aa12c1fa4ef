"""Programs get answers again that they ask for again, if they or their agent want that."""

import time

import openai
import pytest

from accounts import tokens
from observability.remembered import SECONDS
from tests.support.model_server import Script
from tests.v1.conftest import MODEL

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
USE, NO = {"X-Parley-Cache": "use"}, {"X-Parley-Cache": "no"}
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(autouse=True)
def _served_since_a_while(served):
    """So long the web process may know who answered in the test before: another endpoint is another
    answer."""
    time.sleep(SECONDS)


def ask(client, *, headers=None, model=MODEL, **fields):
    """The text, and what the response says of the cache."""
    fields = {"messages": HELLO} | fields
    raw = client.chat.completions.with_raw_response.create(
        model=model, extra_headers=headers, **fields
    )
    if fields.get("stream"):
        text = "".join(
            chunk.choices[0].delta.content or "" for chunk in raw.parse() if chunk.choices
        )
    else:
        text = raw.parse().choices[0].message.content
    return text, raw.headers.get("X-Parley-Cache")


def nested(depth):
    return {"in": nested(depth - 1)} if depth else 1


def test_a_model_answers_again_for_who_wants_it(client, served, web_port, bob):
    said = [Script(text=f"Hello {n}.", reasoning="hm") for n in range(20)]
    served.queue(*said)
    assert ask(client) == ("Hello 0.", None)
    assert ask(client) == ("Hello 1.", None)
    assert ask(client, headers=USE) == ("Hello 2.", "miss")
    assert ask(client, headers=USE) == ("Hello 2.", "hit")
    assert ask(client, headers=USE, stream=True) == ("Hello 2.", "hit")
    assert ask(client, headers=NO) == ("Hello 3.", None)
    changes = (
        {"temperature": 0.5}, {"seed": 7}, {"max_tokens": 9}, {"top_a": 3}, {"n": 1},
        {"messages": [{"role": "user", "content": "Say hello!"}]},
    )  # fmt: skip
    for n, change in enumerate(changes[:3] + changes[-1:], 4):
        assert ask(client, headers=USE, **change) == (f"Hello {n}.", "miss")
    key = tokens.issue(bob, "bob")[1]
    base_url = f"http://127.0.0.1:{web_port}/v1"
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60) as other:
        assert ask(other, headers=USE) == ("Hello 8.", "miss")
    tool = {"type": "function", "function": {"name": "act", "parameters": {"type": "object"}}}
    assert ask(client, headers=USE, tools=[tool]) == ("Hello 9.", None)
    assert ask(client, headers=USE, tools=[tool]) == ("Hello 10.", None)
    for odd in (nested(100), 2**63, {"list": [2**64 - 1]}):
        assert ask(client, headers=USE, extra_body={"odd": odd})[1] is None
    with pytest.raises(openai.BadRequestError, match="nested too deeply"):
        ask(client, headers=USE, extra_body={"odd": nested(400)})
    raw = client.chat.completions.create(model=MODEL, messages=HELLO, extra_headers=USE)
    assert (raw.usage.total_tokens, raw.model) == (0, MODEL)
    assert "reasoning_content" not in (raw.choices[0].message.model_extra or {})


def test_an_agent_answers_again_as_it_is_set(client, served, plain):
    name = plain.slug
    served.queue(*[Script(text=f"Hello {n}.") for n in range(9)])
    assert ask(client, model=name) == ("Hello 0.", None)
    plain.reuse = "person"
    plain.save()
    assert ask(client, model=name) == ("Hello 1.", "miss")
    assert ask(client, model=name) == ("Hello 1.", "hit")
    assert ask(client, model=name, stream=True) == ("Hello 1.", "hit")
    assert ask(client, model=name, seed=4) == ("Hello 2.", "miss")
    assert ask(client, model=name, headers=NO) == ("Hello 3.", "miss")
    assert ask(client, model=name) == ("Hello 3.", "hit")
