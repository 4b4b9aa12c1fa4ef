"""One question to the model, and several at once, through the gateway: metered, held to budgets and
labels, stopped with the job that asks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from gateway.chat import stream_chat
from gateway.controls import Controls
from gateway.embedding.background import run
from gateway.errors import GatewayError, InvalidAnswer
from gateway.types import ChatRequest, Completed, Payer, PromptMessage, TextDelta
from knowledge.enrichment.answers import Unusable

AT_ONCE = 4  # requests of one document
MAX_TOKENS = 4_000  # some models think first
MOST_SAID = 40_000  # characters: what says more is not answering
TRIES = 2  # of an answer that has not the form
NO_ANSWER = _("The model did not answer.")

T = TypeVar("T")


class NobodyAnswers(GatewayError):
    """Every endpoint of the model is out of order, or there is none."""

    type = "nobody_writes"
    title = NO_ANSWER


class EnrichmentFailed(Exception):
    """The model did not answer, or may not be asked; the text tells the curator why."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The model that was chosen, on whose account, and what it must have to be shown this."""

    model: str
    payer: Payer
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    messages: tuple[PromptMessage, ...]
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said, and by which model."""

    text: str
    model: str


def ask_all(
    asker: Asker,
    questions: Sequence[Question],
    parse: Callable[[int, str], T],
    look: Callable[[], None],
) -> tuple[list[tuple[T, str] | None], GatewayError | None]:
    """For each question what `parse` makes of its number and answer, with the model's name; None
    where it made nothing of it twice.

    Asked all at once. The first error is given with what the others brought, which was paid for.
    `look` is called every second and stops them all by raising.
    """

    async def ask_each() -> list[tuple[T, str] | BaseException | None]:
        asked = [_ask_until(asker, one, n, parse) for n, one in enumerate(questions)]
        return await asyncio.gather(*asked, return_exceptions=True)

    found: list[tuple[T, str] | None] = []
    failure: GatewayError | None = None
    for outcome in run(ask_each(), look):
        if isinstance(outcome, GatewayError):
            failure = failure or outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        found.append(None if isinstance(outcome, BaseException) else outcome)
    return found, failure


async def _ask_until(
    asker: Asker, question: Question, number: int, parse: Callable[[int, str], T]
) -> tuple[T, str] | None:
    for _try in range(TRIES):
        try:
            answer = await _ask(asker, question)
            return parse(number, answer.text), answer.model
        except Unusable:
            continue
        except InvalidAnswer:  # the gateway has asked twice already
            return None
    return None


async def _ask(asker: Asker, question: Question) -> Answer:
    request = ChatRequest(
        model=asker.model,
        messages=question.messages,
        temperature=0.0,
        max_tokens=MAX_TOKENS,
        controls=Controls(json_schema=question.form),
        payer=asker.payer,
        required_labels=asker.labels,
    )
    said, length, model = [], 0, asker.model
    async with aclosing(stream_chat(request)) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    said.append(text)
                    length += len(text)
                    if length > MOST_SAID:
                        raise Unusable("endless")
                case Completed():
                    if item.is_offline:  # it quotes, and writes nothing of its own
                        raise NobodyAnswers
                    model = item.model
    return Answer("".join(said), model)
