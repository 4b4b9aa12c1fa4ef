"""One tiny request for each ability, written by the very dialect that will be used later.

A trial says True or False; it raises when nothing could be learned.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gateway.controls import Capability, Controls
from gateway.embedding.reranking import request_scores
from gateway.errors import BadRequest, GatewayError
from gateway.types import ChatRequest, PromptMessage, Route
from gateway.upstream.asking import ask
from gateway.upstream.dialect import Quirk, chat_payload, quirk_behind
from gateway.upstream.payloads import token_usage
from gateway.upstream.probing.identity import Identity
from gateway.upstream.probing.meter import Meter
from gateway.upstream.probing.picture import DOT_IMAGE
from gateway.upstream.resolving import list_adapters, resolve
from gateway.upstream.servers import VLLMS, Server, root_url
from gateway.upstream.session import Pool
from gateway.upstream.tokenizer import tokenize

SECONDS = 9.0  # for each
HI = (PromptMessage("user", "hi"),)
ROOM = 400  # tokens of an answer whose form is tested: some think first
WORDS = ("zqx", "qzy")  # nobody says them unless they have to
# Usual prose, by script as `gateway.metering.estimates` tells them apart.
SAMPLES = {
    "latin": "The committee meets every second Tuesday of the month. Whoever cannot come tells the "
    "secretary by e-mail until noon of the day before, so that somebody else can take the minutes.",
    "wide": "委员会每月第二个星期二开会。不能出席的人请在前一天中午之前用电子邮件通知秘书，"
    "以便安排其他人做会议记录。",
}
SCHEMA = {
    "type": "object",
    "properties": {"zq": {"type": "integer", "enum": [7]}},
    "required": ["zq"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo"]}},
            "required": ["city"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A deployment under test; `route` may do everything that is tried."""

    pool: Pool
    route: Route
    identity: Identity
    quirks: set[Quirk]
    meter: Meter = field(default_factory=Meter)

    async def complete(self, capability: Capability, request: ChatRequest) -> dict[str, Any]:
        """The answer to a request that uses the capability, as one JSON object."""
        route = replace(
            self.route,
            server=self.identity.server.value,
            capabilities=self.route.capabilities | {capability},
            lacks=frozenset(),
        )
        resolved = await resolve(self.pool, route, request.controls)
        while True:
            payload = chat_payload(route, request, self.quirks, resolved)
            sent = {name: value for name, value in payload.items() if name != "stream_options"}
            try:
                answer = await self.meter.ask(
                    self.pool,
                    route,
                    route.url("chat/completions"),
                    sent | {"stream": False},
                    SECONDS,
                )
            except BadRequest as error:
                quirk = quirk_behind(error, payload)
                if quirk is None or quirk in self.quirks:
                    raise
                self.quirks.add(quirk)
            else:
                return answer if isinstance(answer, dict) else {}


Trial = Callable[[Subject], Awaitable[bool]]


def choice_of(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    return choices[0] if isinstance(choices, list) and choices else {}


def message_of(answer: dict[str, Any]) -> dict[str, Any]:
    return choice_of(answer).get("message") or {}


def text_of(answer: dict[str, Any]) -> str:
    content = message_of(answer).get("content")
    return content if isinstance(content, str) else ""


async def tries_vision(subject: Subject) -> bool:
    shown = PromptMessage("user", "hi", (DOT_IMAGE,))
    await subject.complete(Capability.VISION, ChatRequest("", (shown,), max_tokens=1))
    return True


async def tries_tools(subject: Subject) -> bool:
    """Whether it calls one; a call that the limit of tokens cut counts too."""
    asked = (PromptMessage("user", "What is the weather in Oslo? Look it up with the tool."),)
    request = ChatRequest(
        "", asked, max_tokens=ROOM, temperature=0.0, tools=(TOOL,), tool_choice="required"
    )
    try:
        answer = await subject.complete(Capability.TOOLS, request)
    except BadRequest:  # some have tools but no way to demand one
        answer = await subject.complete(Capability.TOOLS, replace(request, tool_choice=None))
    return bool(message_of(answer).get("tool_calls")) or _is_cut(answer)


def _is_cut(answer: dict[str, Any]) -> bool:
    return choice_of(answer).get("finish_reason") == "length"


async def tries_schema(subject: Subject) -> bool:
    text = await _formed(subject, Capability.JSON_SCHEMA, Controls(json_schema=SCHEMA))
    try:
        return bool(orjson.loads(text) == {"zq": 7})
    except orjson.JSONDecodeError:
        return False


async def tries_grammar(subject: Subject) -> bool:
    one, other = WORDS
    grammar = f'root ::= "{one}" | "{other}"'
    return await _formed(subject, Capability.GRAMMAR, Controls(grammar=grammar)) in WORDS


async def tries_regex(subject: Subject) -> bool:
    return await _formed(subject, Capability.REGEX, Controls(regex="(zqx|qzy)")) in WORDS


async def tries_choices(subject: Subject) -> bool:
    return await _formed(subject, Capability.CHOICES, Controls(choices=WORDS)) in WORDS


async def _formed(subject: Subject, capability: Capability, controls: Controls) -> str:
    request = ChatRequest("", HI, max_tokens=ROOM, temperature=0.0, controls=controls)
    return text_of(await subject.complete(capability, request)).strip()


async def tries_logprobs(subject: Subject) -> bool:
    controls = Controls(logprobs=True, top_logprobs=2)
    request = ChatRequest("", HI, max_tokens=2, temperature=0.0, controls=controls)
    answer = await subject.complete(Capability.LOGPROBS, request)
    return bool((choice_of(answer).get("logprobs") or {}).get("content"))


async def tries_bias(subject: Subject) -> bool:
    """A word that is wanted above all others is said."""
    controls = Controls(word_bias={"zebra": 100})
    request = ChatRequest("", HI, max_tokens=4, temperature=0, controls=controls)
    answer = await subject.complete(Capability.LOGIT_BIAS, request)
    said = text_of(answer)
    return bool(said.strip()) and set(said) <= set(" zebra")


async def tries_prediction(subject: Subject) -> bool:
    """Servers that drop it count nothing."""
    request = ChatRequest("", HI, max_tokens=4, controls=Controls(prediction="hi"))
    answer = await subject.complete(Capability.PREDICTION, request)
    counts = (answer.get("usage") or {}).get("completion_tokens_details") or {}
    return counts.get("accepted_prediction_tokens") is not None


async def tries_cache_key(subject: Subject) -> bool:
    """Whether it does not mind the field, and counts what it did not read again. Servers that run
    at home see that by themselves."""
    if subject.identity.server not in {Server.OPENAI, Server.UNKNOWN}:
        return False
    request = ChatRequest("", HI, max_tokens=1, cache_key="parley-test")
    answer = await subject.complete(Capability.CACHE_KEY, request)
    return token_usage(answer.get("usage")).cached_tokens is not None


async def tries_reasoning(subject: Subject) -> bool:
    answer = await subject.complete(Capability.REASONING, ChatRequest("", HI, max_tokens=16))
    message = message_of(answer)
    counts = (answer.get("usage") or {}).get("completion_tokens_details") or {}
    thought = message.get("reasoning_content") or message.get("reasoning")
    return bool(thought or counts.get("reasoning_tokens"))


async def tries_tokens(subject: Subject) -> bool:
    return bool(await tokenize(subject.pool, _with(subject, Capability.TOKENIZE), "zebra"))


async def token_ratios(subject: Subject) -> dict[str, float]:
    """Tokens a character, by script: what estimates begin with."""
    route, found = _with(subject, Capability.TOKENIZE), {}
    with suppress(GatewayError):
        for script, text in SAMPLES.items():
            found[script] = round(len(await tokenize(subject.pool, route, text)) / len(text), 4)
    return found


async def tries_adapters(subject: Subject) -> bool:
    if subject.identity.server is Server.LLAMA_CPP:
        return bool(await list_adapters(subject.pool, subject.route))
    return subject.identity.has_adapters


async def tries_prefix(subject: Subject) -> bool:
    """llama.cpp shows its prompt; those with a field for it either know the field or refuse it;
    of others one sees whether they go on or begin again."""
    begun, asked = "alpha bravo", "Say exactly this and nothing else: alpha bravo charlie delta"
    server = subject.identity.server
    if server is Server.LLAMA_CPP:
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": begun}]
        url = f"{root_url(subject.route)}/apply-template"
        found = await ask(subject.pool, subject.route, url, {"messages": messages}, SECONDS)
        return isinstance(found, dict) and str(found.get("prompt")).endswith(begun)
    request = ChatRequest("", (PromptMessage("user", asked),), max_tokens=16, continues=begun)
    answer = await subject.complete(Capability.PREFIX, request)
    if server in VLLMS or server in {Server.SGLANG, Server.MISTRAL, Server.DEEPSEEK}:
        return True
    return text_of(answer).strip().lower().startswith("charlie")


async def tries_embeddings(subject: Subject) -> bool:
    body = {"model": subject.route.upstream_name, "input": ["hi"]}
    route = subject.route
    found = await subject.meter.ask(subject.pool, route, route.url("embeddings"), body, SECONDS)
    return bool(found["data"][0]["embedding"])


async def tries_rerank(subject: Subject) -> bool:
    began = time.monotonic()
    scores, usage = await request_scores(subject.pool, subject.route, "hi", ["hi", "zebra"])
    subject.meter.note(subject.route, usage, "completed", began)
    return len(scores) == 2


def _with(subject: Subject, capability: Capability) -> Route:
    return replace(
        subject.route,
        server=subject.identity.server.value,
        capabilities=subject.route.capabilities | {capability},
        lacks=frozenset(),
    )


CHAT_TRIALS: dict[Capability, Trial] = {
    Capability.VISION: tries_vision,
    Capability.TOOLS: tries_tools,
    Capability.JSON_SCHEMA: tries_schema,
    Capability.GRAMMAR: tries_grammar,
    Capability.REGEX: tries_regex,
    Capability.CHOICES: tries_choices,
    Capability.REASONING: tries_reasoning,
    Capability.LOGPROBS: tries_logprobs,
    Capability.LOGIT_BIAS: tries_bias,
    Capability.PREDICTION: tries_prediction,
    Capability.LORA: tries_adapters,
    Capability.PREFIX: tries_prefix,
    Capability.CACHE_KEY: tries_cache_key,
}
