"""LangChain's OpenAI classes against Parley, in their own environment: see test_frameworks."""

import sys

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from openai import NotFoundError
from pydantic import BaseModel

base_url, key = sys.argv[1:]
HERE = {"base_url": base_url, "api_key": key, "max_retries": 0}


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


chat = ChatOpenAI(model="scripted", stream_usage=True, **HERE)
said = chat.invoke([SystemMessage("Be polite."), HumanMessage("Hello?")])
assert said.content == "Good day to you.", said
assert said.usage_metadata["total_tokens"] == 15, said
assert said.response_metadata["model_name"] == "scripted", said

streamed = list(chat.stream("Hello?"))
whole = streamed[0]
for part in streamed[1:]:
    whole += part
assert whole.content == "Good day to you.", streamed
assert whole.usage_metadata["input_tokens"] == 10, whole

able = chat.bind_tools([weather])
asked = able.invoke("Weather?")
(call,) = asked.tool_calls
assert (call["name"], call["args"]) == ("weather", {"city": "Graz"}), asked
result = weather.invoke(call)
assert isinstance(result, ToolMessage), result
told = able.invoke([HumanMessage("Weather?"), asked, result])
assert told.content == "It rains.", told

formed = chat.with_structured_output(Weather, method="json_schema").invoke("Graz?")
assert formed == Weather(city="Graz", degrees=7), formed

answered = ChatOpenAI(model="scripted", use_responses_api=True, **HERE).invoke("Hello?")
assert answered.text == "By the newer way.", answered
agent = ChatOpenAI(model="plain", **HERE)
assert agent.invoke("Who are you?").content == "I am an agent."
assert OpenAI(model="scripted", **HERE).invoke("Once") == "upon a time"

# Usually it sends numbers of tokens, for which it needs a vocabulary of OpenAI's.
by_number = OpenAIEmbeddings(model="all-MiniLM-L6-v2", **HERE)
by_text = OpenAIEmbeddings(model="all-MiniLM-L6-v2", check_embedding_ctx_length=False, **HERE)
texts = ["A cat 貓.", "The dog barks at 12 o'clock."]
for one, other in zip(
    by_number.embed_documents(texts), by_text.embed_documents(texts), strict=True
):
    assert len(one) == 384
    assert sum(a * b for a, b in zip(one, other, strict=True)) > 0.999, texts
assert len(by_text.embed_query("A cat.")) == 384
code = ""
try:
    ChatOpenAI(model="nobody", **HERE).invoke("Hello?")
except NotFoundError as error:
    code = error.code
assert code == "model_not_found", code
print("all of it works")
