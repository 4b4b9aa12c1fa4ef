"""An agent as a model: it searches its documents as the person who calls, and cites them.

The messages are its history, and system messages of the caller come after its own instructions.
What an agent cannot do is refused: other people's tools, several choices, forms of output that
leave no room for citations.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

from django.utils import translation

from accounts.models import User
from agents.loop import run_agent
from agents.openai.callers import Call
from agents.openai.catalogue import ChatModel
from agents.openai.errors import invalid, unsupported
from agents.openai.sources import Chunker, Chunks, Payload, usage_object
from agents.types import (
    AgentSpec,
    AgentTask,
    AnswerReused,
    CitationAdded,
    Finished,
    HandedOver,
    PastMessage,
    ReasoningDelta,
    TextDelta,
    UsageRecorded,
)
from gateway.types import ChatRequest, PromptMessage, RawMessage, TokenUsage
from knowledge.glossary.presence import is_any_there
from observability.patience import run_patiently

NOT_FOR_AGENTS = (
    "functions", "function_call", "response_format", "modalities", "audio", "guided_json",
    "guided_grammar", "web_search_options",
)  # fmt: skip
TEXT_PARTS = ("text", "input_text", "output_text")


async def of_agent(spec: AgentSpec, call: Call, request: ChatRequest, model: ChatModel) -> Chunks:
    """Text as it is written; the last chunk has `citations`, and `notice` where the person should
    know something about how the answer came about, and `handed_to`, the agent that wrote its end,
    where that was another one. Raises ApiError and GatewayError."""
    task = replace(
        agent_task(spec, call.user, request),
        demands=model.demands,
        is_anew=call.cache.wish == "no",
        has_glossary=await run_patiently(is_any_there),
    )
    call.cache.outcome = "" if spec.reuse == "off" else "miss"
    finish_reason = "stop"
    chunker = Chunker(model.name)
    citations: list[Payload] = []
    usage: Payload | None = None
    handed_to = ""
    with translation.override(call.language):
        async with aclosing(run_agent(task)) as steps:
            async for step in steps:
                match step:
                    case TextDelta(text):
                        yield chunker.delta(content=text)
                    case ReasoningDelta(text):
                        yield chunker.delta(reasoning_content=text)
                    case CitationAdded():
                        citations.append(_cited(step))
                    case AnswerReused():
                        call.cache.outcome = "hit"
                    case HandedOver():
                        handed_to = step.slug
                    case UsageRecorded():
                        usage = usage_object(_counts(step))
                        finish_reason = step.finish_reason
                    case Finished():
                        told = {"notice": step.notice, "handed_to": handed_to}
                        more = {name: text for name, text in told.items() if text}
                        yield chunker.end(finish_reason, citations=citations, **more)
    if usage:
        yield chunker.usage(usage)


def agent_task(spec: AgentSpec, user: User, request: ChatRequest) -> AgentTask:
    """The question is the last message, and the person's; raises ApiError."""
    _refuse(request)
    said = [
        (str(message["role"]), _text(n, message))
        for n, message in enumerate(request.messages)
        if not isinstance(message, PromptMessage)
    ]
    if said[-1][0] != "user":
        raise invalid(
            "An agent answers a question: the last message must be the user's.", "messages"
        )
    rules = [text for role, text in said if role in {"system", "developer"}]
    talk = [(role, text) for role, text in said if role in {"user", "assistant"}]
    history = tuple(
        PastMessage("user" if role == "user" else "assistant", text) for role, text in talk[:-1]
    )
    limit, temperature = request.max_tokens, request.temperature
    mine = replace(
        spec,
        instructions="\n\n".join(filter(None, [spec.instructions, *rules])),
        max_answer_tokens=spec.max_answer_tokens if limit is None else limit,
        temperature=spec.temperature if temperature is None else temperature,
    )
    payer = request.payer
    return AgentTask(
        mine,
        user,
        talk[-1][1],
        history,
        controls=request.controls,
        extra=request.extra,
        team_ids=payer.team_ids,
        token_id=payer.token_id,
        purpose=payer.purpose,
        orders=tuple(rules),
    )


def _refuse(request: ChatRequest) -> None:
    controls = request.controls
    why = "An agent answers in text from its documents. Ask a model instead."
    if request.tools or request.tool_choice not in (None, "none", "auto"):
        raise unsupported("tools", "An agent calls no tools of the caller. Ask a model instead.")
    if request.extra.get("n", 1) != 1:
        raise unsupported("n", "An agent gives one answer.")
    if controls.logprobs or controls.top_logprobs:
        raise unsupported("logprobs", why)
    if controls.json_schema is not None or controls.choices or controls.regex or controls.grammar:
        raise unsupported("response_format", why)
    for name in NOT_FOR_AGENTS:
        value = request.extra.get(name)
        if value and value not in ({"type": "text"}, ["text"]):
            raise unsupported(name, why)


def _text(n: int, message: RawMessage) -> str:
    place = f"messages[{n}]"
    if message["role"] not in {"system", "developer", "user", "assistant"}:
        raise unsupported(f"{place}.role", "An agent hears system, user and assistant messages.")
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts: Sequence[Any] = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts
             if isinstance(part, dict) and part.get("type") in TEXT_PARTS]  # fmt: skip
    if not parts or len(texts) < len(parts) or not all(isinstance(text, str) for text in texts):
        why = "An agent reads text; attach files and images to a question in Parley itself."
        raise unsupported(f"{place}.content", why)
    return "\n".join(map(str, texts))


def _cited(step: CitationAdded) -> Payload:
    """`n` is the number in the text; the document's text from `start` to `end` is `quote`."""
    fields = asdict(step)
    names = ("document_id", "chunk_id")
    return fields | {name: str(fields[name]) for name in names} | {"lines": step.lines}


def _counts(step: UsageRecorded) -> TokenUsage:
    return TokenUsage(
        step.prompt_tokens, step.completion_tokens, step.cached_tokens, step.reasoning_tokens
    )
