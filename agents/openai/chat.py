"""`POST /v1/chat/completions`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from accounts.limits import spend_for
from accounts.tokens import Scope
from agents.openai import fields
from agents.openai.agent_source import of_agent
from agents.openai.assembly import assemble
from agents.openai.callers import Call, admit, endpoint, in_thread
from agents.openai.catalogue import ChatModel, find_chat_model, name_of
from agents.openai.sources import Chunks, Payload, of_model
from agents.openai.streaming import DONE, event, stream
from agents.openai.watch import current_watch
from gateway.types import ChatRequest
from security.rate_limits import Action


@endpoint("POST")
async def chat_completions(request: HttpRequest) -> HttpResponseBase:
    call = await admit(request, Action.TURNS, Scope.CHAT)
    await count_more(request, fields.whole_number(call.body, "n") or 1)
    model = await find(call)
    asked = fields.chat_request(
        call.body, model.name, fields.messages_of(call.body), payer=call.payer()
    )
    wants_usage = fields.wants_usage(call.body)
    if fields.flag(call.body, "stream"):
        events = _events(answers(call, model, asked), wants_usage=wants_usage)
        return call.told(await stream(request, events))
    async with aclosing(answers(call, model, asked)) as chunks:
        return call.told(JsonResponse(await assemble(chunks)))


async def count_more(request: HttpRequest, answers: int) -> None:
    """Each answer that a request wants draws from its caller's bucket; `admit` counted the first.

    Raises LimitReached.
    """
    if answers > 1:
        await in_thread(spend_for, request, Action.TURNS, answers - 1)


async def find(call: Call) -> ChatModel:
    return await in_thread(find_chat_model, call.user, name_of(call.body))


def answers(call: Call, model: ChatModel, asked: ChatRequest) -> Chunks:
    """The chunks of whoever answers to this name, for as long as the caller may hear them."""
    if model.agent is None:
        chunks = of_model(asked, model, call.cache)
    else:
        chunks = of_agent(model.agent, call, asked, model)
    return current_watch().over(call.token_id, chunks)


async def _events(chunks: Chunks, *, wants_usage: bool) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if wants_usage or not is_usage(chunk):
                yield event(orjson.dumps(chunk))
    yield DONE


def is_usage(chunk: Payload) -> bool:
    """The last chunk, which has no words: only who asked for it gets it."""
    return "usage" in chunk and not chunk["choices"]
