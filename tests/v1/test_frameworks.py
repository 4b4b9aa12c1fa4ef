"""The OpenAI classes of LangChain and LlamaIndex, unchanged, in their own environment.

`make compatible` installs it under var/; without it these tests are skipped.
"""

import os
import subprocess
from pathlib import Path

import pytest

from agents.models import Agent, ToolExecution
from embedded.home import REPOSITORY
from tests.support.model_server import Script, calling
from tests.v1.streams import call_deltas, chunks

PYTHON = Path(REPOSITORY) / "var" / "compatible" / "bin" / "python"
pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="LangChain and LlamaIndex are not installed: `make compatible` does that",
    ),
]
HELLO = Script(text="Good day to you.", token_size=3)
CALL = Script(raw=chunks(*call_deltas(("weather", '{"city": "Graz"}')), finish="tool_calls"))
AGENT = Script(text="I am an agent.")
ONCE = Script(text="upon a time")


def vocabularies():
    """LlamaIndex brings those of tiktoken, which would fetch them from the network."""
    (found,) = PYTHON.parents[1].glob("lib/python3*/site-packages/llama_index/core/_static/tik*")
    return found


def run(script, web_port, key):
    """The script's own assertions count; it asks the served process and nobody else."""
    program = Path(__file__).parent / "frameworks" / script
    done = subprocess.run(
        [PYTHON, "-I", program, f"http://127.0.0.1:{web_port}/v1", key],
        env={"PATH": os.environ["PATH"], "TIKTOKEN_CACHE_DIR": str(vocabularies())},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("all of it works\n"), done.stdout + done.stderr


def test_langchain(served, plain, web_port, key):
    formed = Script(text='{"city": "Graz", "degrees": 7}')
    newer = Script(text="By the newer way.")
    served.queue(HELLO, HELLO, CALL, Script(text="It rains."), formed, newer, AGENT, ONCE)
    run("langchain_classes.py", web_port, key)


def test_langchain_drives_an_agent_that_calls_tools(served, alice, web_port, key):
    Agent.objects.create(
        owner=alice, name="Handy", slug="handy", max_passages=0, tools=["calculate"]
    )
    turn = (
        calling(("calculate", {"expression": "6*7"}), text="Let me see."),
        Script(text="It is 42.", token_size=3),
    )
    loop = calling(("weather", {"city": "Graz"}), ("ask_colleague", {"question": "6*7?"}))
    served.queue(*turn * 7, loop, *turn, Script(text="42, and rain."))
    run("langchain_agents.py", web_port, key)
    assert [one.output for one in ToolExecution.objects.all()] == ["6*7 = 42"] * 8
    told = [m["content"] for m in served.chat_requests[-1]["messages"] if m["role"] == "tool"]
    assert told == ["Rain in Graz.", "Let me see.\n\nIt is 42."]


def test_llamaindex(served, plain, web_port, key):
    served.queue(HELLO, HELLO, CALL, AGENT, ONCE)
    run("llamaindex_classes.py", web_port, key)
