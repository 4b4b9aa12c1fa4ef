"""`POST /v1/completions`, the older address: a prompt is the message of a user.

Several prompts are answered one after the other, each with the choices that were asked for; each
choice counts as a question.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from accounts.tokens import Scope
from agents.openai import fields
from agents.openai.assembly import Assembly
from agents.openai.callers import Body, Call, admit, endpoint
from agents.openai.catalogue import ChatModel
from agents.openai.chat import answers, count_more, find, is_usage
from agents.openai.errors import invalid, unsupported
from agents.openai.sources import Chunks, Payload, new_id
from agents.openai.streaming import DONE, event, stream
from security.rate_limits import Action

MOST_PROMPTS, MOST_CHOICES = 16, 128
OWN = {"prompt", "echo", "suffix", "best_of", "logprobs"}


@endpoint("POST")
async def completions(request: HttpRequest) -> HttpResponseBase:
    call = await admit(request, Action.TURNS, Scope.CHAT)
    prompts, body = _prompts(call.body), _chat_body(call.body)
    await count_more(request, len(prompts) * int(body.get("n") or 1))
    model = await find(call)
    chunks = _all(call, model, body, prompts)
    if fields.flag(call.body, "stream"):
        wants_usage = fields.wants_usage(call.body)
        return await stream(request, _events(chunks, wants_usage=wants_usage))
    assembly = Assembly()
    async with aclosing(chunks):
        async for chunk in chunks:
            assembly.add(chunk)
    whole = assembly.whole()
    choices = [_choice(choice, choice.pop("message")) for choice in whole["choices"]]
    return JsonResponse(whole | {"object": "text_completion", "choices": choices})


async def _all(call: Call, model: ChatModel, body: Body, prompts: list[str]) -> Chunks:
    """The chunks of all prompts as those of one answer, with the usage of all last."""
    answer_id, usage = new_id("cmpl-"), dict[str, int]()
    per_prompt = int(body.get("n") or 1)
    is_echo = fields.flag(call.body, "echo")
    for number, prompt in enumerate(prompts):
        messages = [{"role": "user", "content": prompt}]
        asked = fields.chat_request(body, model.name, messages, payer=call.payer())
        heard = set[int]()
        async with aclosing(answers(call, model, asked)) as chunks:
            async for chunk in chunks:
                chunk["id"] = answer_id
                if is_usage(chunk):
                    _count(usage, chunk["usage"])
                    continue
                for choice in chunk["choices"]:
                    index = choice["index"] = choice.get("index", 0) + number * per_prompt
                    if is_echo and index not in heard:
                        delta = choice.get("delta") or {}
                        choice["delta"] = delta | {"content": prompt + (delta.get("content") or "")}
                    heard.add(index)
                yield chunk
    if usage:
        yield chunk | {"choices": [], "usage": usage}


def _count(total: dict[str, int], usage: Payload) -> None:
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        total[name] = total.get(name, 0) + (usage.get(name) or 0)


async def _events(chunks: Chunks, *, wants_usage: bool) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if is_usage(chunk):
                if wants_usage:
                    yield event(orjson.dumps(chunk | {"object": "text_completion"}))
                continue
            choices = [_choice(choice, choice.pop("delta", {})) for choice in chunk["choices"]]
            told = chunk | {"object": "text_completion", "choices": choices}
            yield event(orjson.dumps(told))
    yield DONE


def _choice(choice: Payload, said: Payload) -> Payload:
    """A choice as this address tells it; what it does not know of a message is kept beside."""
    more = {name: value for name, value in said.items()
            if name not in {"role", "content", "refusal"} and value}  # fmt: skip
    logprobs = _logprobs(choice.get("logprobs"))
    return {**more, **choice, "logprobs": logprobs, "text": said.get("content") or ""}


def _logprobs(told: Any) -> Payload | None:
    if not isinstance(told, dict) or not told.get("content"):
        return None
    entries, offsets, at = told["content"], [], 0
    for entry in entries:
        offsets.append(at)
        at += len(entry["token"])
    return {
        "tokens": [entry["token"] for entry in entries],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [
            {top["token"]: top["logprob"] for top in entry.get("top_logprobs") or ()}
            for entry in entries
        ],
        "text_offset": offsets,
    }


def _prompts(body: Body) -> list[str]:
    prompt = body.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, list) or not prompts:
        message = "Send `prompt`: a string or an array of strings."
        raise invalid(message, "prompt", "missing_required_parameter")
    if not all(isinstance(one, str) for one in prompts):
        raise unsupported("prompt", "Send text, not numbers of tokens.")
    if len(prompts) > MOST_PROMPTS:
        raise unsupported("prompt", f"At most {MOST_PROMPTS} prompts in one request.")
    return prompts


def _chat_body(body: Body) -> Body:
    """The same as fields of a chat completion."""
    if body.get("suffix"):
        raise unsupported("suffix", "Text is continued here, not filled in.")
    count = fields.whole_number(body, "n")
    if count and count > MOST_CHOICES:
        raise unsupported("n", f"At most {MOST_CHOICES} choices for a prompt.")
    if (fields.whole_number(body, "best_of") or 1) > (count or 1):
        raise unsupported("best_of", "Ask for the choices with `n`.")
    chat = {name: value for name, value in body.items() if name not in OWN}
    top = fields.whole_number(body, "logprobs")
    if top is not None:
        chat |= {"logprobs": True, "top_logprobs": top}
    return chat
