"""LangChain drives an agent of Parley's that calls tools of its own: see test_frameworks."""

import asyncio
import sys

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import BadRequestError

base_url, key = sys.argv[1:]
HERE = {"base_url": base_url, "api_key": key, "max_retries": 0}
SAID = "Let me see.\n\nIt is 42."
ASKED = "What is six times seven?"

agent = ChatOpenAI(model="handy", stream_usage=True, **HERE)
said = agent.invoke([SystemMessage("Be brief."), HumanMessage(ASKED)])
assert (said.content, said.tool_calls, said.invalid_tool_calls) == (SAID, [], []), said
assert said.response_metadata["finish_reason"] == "stop", said
assert said.usage_metadata["input_tokens"] == 20, said  # of both calls of its model

streamed = list(agent.stream(ASKED))
whole = streamed[0]
for part in streamed[1:]:
    whole += part
assert len(streamed) > 3, streamed
assert (whole.content, whole.tool_calls, whole.tool_call_chunks) == (SAID, [], []), whole
assert whole.usage_metadata["input_tokens"] == 20, whole


async def in_async() -> str:
    return "".join([part.content async for part in agent.astream(ASKED)])


assert asyncio.run(in_async()) == SAID

newer = ChatOpenAI(model="handy", use_responses_api=True, **HERE)
assert newer.invoke(ASKED).text == SAID
assert "".join(part.text for part in newer.stream(ASKED)) == SAID

chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | agent | StrOutputParser()
assert chain.batch([{"question": ASKED}], {"max_concurrency": 1}) == [SAID]

followed = agent.invoke([HumanMessage(ASKED), AIMessage(SAID), HumanMessage("And again?")])
assert followed.content == SAID, followed


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


refusal = None
try:
    agent.bind_tools([weather]).invoke(ASKED)
except BadRequestError as error:
    refusal = error
assert refusal is not None
assert (refusal.code, refusal.param) == ("unsupported_parameter", "tools"), refusal


@tool
def ask_colleague(question: str) -> str:
    """Asks an agent that can compute."""
    return agent.invoke(question).content


def in_a_loop(tools: list) -> str:
    """What an agent of LangChain's does: its tools run here, one of them asks Parley's agent."""
    by_name = {one.name: one for one in tools}
    model = ChatOpenAI(model="scripted", **HERE).bind_tools(tools)
    messages = [HumanMessage("Compute it, and look at the weather.")]
    for _step in range(5):
        messages.append(model.invoke(messages))
        if not messages[-1].tool_calls:
            return messages[-1].content
        messages += [by_name[call["name"]].invoke(call) for call in messages[-1].tool_calls]
    raise AssertionError(messages)


assert in_a_loop([weather, ask_colleague]) == "42, and rain."
print("all of it works")
