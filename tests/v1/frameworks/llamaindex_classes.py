"""LlamaIndex's OpenAI classes against Parley, in their own environment: see test_frameworks."""

import sys

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

base_url, key = sys.argv[1:]
HERE = {"api_base": base_url, "api_key": key, "max_retries": 0}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


model = OpenAILike(
    model="scripted", is_chat_model=True, is_function_calling_model=True,
    context_window=8000, **HERE,
)  # fmt: skip
hello = [ChatMessage(role="system", content="Be polite."), ChatMessage(role="user", content="?")]
assert model.chat(hello).message.content == "Good day to you."
assert "".join(part.delta or "" for part in model.stream_chat(hello)) == "Good day to you."
asked = model.chat_with_tools([FunctionTool.from_defaults(weather)], user_msg="Weather?")
(call,) = model.get_tool_calls_from_response(asked)
assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Graz"}), asked
agent = OpenAILike(model="plain", is_chat_model=True, context_window=8000, **HERE)
assert agent.complete("Who are you?").text == "I am an agent."
older = OpenAILike(model="scripted", is_chat_model=False, context_window=8000, **HERE)
assert older.complete("Once").text == "upon a time"

embedder = OpenAILikeEmbedding(model_name="all-MiniLM-L6-v2", **HERE)
assert len(embedder.get_text_embedding("A cat.")) == 384
vectors = embedder.get_text_embedding_batch(["A cat.", "A dog."])
assert [len(vector) for vector in vectors] == [384, 384]
print("all of it works")
