import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from accounts.tokens import Scope
from agents.openai import fields
from agents.openai.callers import Body, admit, endpoint
from agents.openai.chat import answers, find
from agents.openai.errors import ApiError
from agents.openai.responses.output import Output
from agents.openai.responses.reading import chat_body, messages_of
from agents.openai.sources import Chunks, Payload, new_id
from agents.openai.streaming import event, stream
from security.rate_limits import Action

# Told again as they were sent; what was not sent as OpenAI's defaults.
ECHOED: Mapping[str, Any] = {
    "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None}, "service_tier": "default", "temperature": 1.0,
    "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_logprobs": 0,
    "top_p": 1.0, "truncation": "disabled", "user": None,
}  # fmt: skip
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@endpoint("POST")
async def responses(request: HttpRequest) -> HttpResponseBase:
    call = await admit(request, Action.TURNS, Scope.CHAT)
    model = await find(call)
    body, messages = chat_body(call.body), messages_of(call.body)
    asked = fields.chat_request(body, model.name, messages, payer=call.payer())
    answer = Answer(call.body, model.name)
    chunks = answers(call, model, asked)
    if fields.flag(call.body, "stream"):
        return call.told(await stream(request, answer.events(chunks), answer.failed))
    async with aclosing(chunks):
        async for chunk in chunks:
            for _ in answer.output.feed(chunk):
                pass
    for _ in answer.output.close():
        pass
    return call.told(JsonResponse(answer.whole()))


class Answer:
    """A response on its way."""

    def __init__(self, body: Body, model: str) -> None:
        sent = {name: value for name, value in body.items() if value is not None}
        self._told = {
            "id": new_id("resp_"),
            "object": "response",
            "created_at": int(time.time()),
            "model": model,
            "previous_response_id": None,
            "background": False,
            "store": False,
        } | {name: sent.get(name, usual) for name, usual in ECHOED.items()}
        self._number = 0
        self.output = Output()

    async def events(self, chunks: Chunks) -> AsyncGenerator[bytes, None]:
        """All events but that of a failure; nothing before the model has begun."""
        has_begun = False
        async with aclosing(chunks):
            async for chunk in chunks:
                if not has_begun:
                    has_begun = True
                    for name in ("response.created", "response.in_progress"):
                        yield self._event(name, {"response": self._as_it_is("in_progress")})
                for name, data in self.output.feed(chunk):
                    yield self._event(name, data)
        for name, data in self.output.close():
            yield self._event(name, data)
        whole = self.whole()
        yield self._event(f"response.{whole['status']}", {"response": whole})

    def whole(self) -> Payload:
        reason = INCOMPLETE.get(self.output.finish_reason)
        told = self._as_it_is("incomplete" if reason else "completed")
        told["incomplete_details"] = {"reason": reason} if reason else None
        if self.output.notice:
            told["notice"] = self.output.notice
        if self.output.handed_to:
            told["handed_to"] = self.output.handed_to
        return told | {"completed_at": int(time.time()), "usage": usage_of(self.output.usage)}

    def failed(self, error: ApiError) -> bytes:
        """Two events: what OpenAI describes, and what its client turns into an exception."""
        code = error.code or "server_error"
        told = self._as_it_is("failed")
        told["error"] = {"code": code, "message": error.message}
        ended = self._event("response.failed", {"response": told})
        return ended + self._event("error", error.body | {"code": code, "message": error.message})

    def _as_it_is(self, status: str) -> Payload:
        nothing_yet = {"error": None, "incomplete_details": None, "usage": None}
        return {**self._told, "status": status, "output": list(self.output.items), **nothing_yet}

    def _event(self, name: str, data: Payload) -> bytes:
        numbered = {"type": name, "sequence_number": self._number, **data}
        self._number += 1
        return event(orjson.dumps(numbered), name)


def usage_of(usage: Payload | None) -> Payload | None:
    """The counts of a chat completion by the names they have here."""
    if usage is None:
        return None
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    counts = {name: usage.get(name) or 0 for name in ("prompt_tokens", "completion_tokens")}
    return {
        "input_tokens": counts["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": prompt.get("cached_tokens") or 0},
        "output_tokens": counts["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": completion.get("reasoning_tokens") or 0},
        "total_tokens": usage.get("total_tokens") or sum(counts.values()),
    }
