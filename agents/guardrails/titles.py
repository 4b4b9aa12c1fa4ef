"""Titles are written by a model from what was said: the same rules hold for it, and for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from agents.guardrails.asking import Asking
from agents.guardrails.guard import Guard
from agents.guardrails.rules import parse
from agents.guardrails.ruleset import installed
from agents.guardrails.types import Place, Unchecked
from agents.guardrails.vault import Vault
from gateway.chat import stream_chat
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import Payer


class Cover:
    """Question and answer as the model may read them; no title is shown that a rule of answers
    has anything to say about."""

    def __init__(self, guard: Guard, texts: Sequence[str]) -> None:
        self._guard = guard
        self.texts = tuple(texts)

    async def allows(self, title: str) -> bool:
        for _n, rule in self._guard.at(Place.OUTPUT):
            try:
                if await self._guard.find(rule, title) is not None:
                    return False
            except Unchecked:
                return False
        return True

    def opened(self, title: str) -> str:
        return self._guard.vault.open(title)


async def cover(
    kept: Sequence[Mapping[str, Any]],
    texts: tuple[str, str],
    payer: Payer,
    labels: Sequence[str],
    scope: str,
) -> Cover | None:
    """`kept` are the rules of whoever answered, `texts` question and answer; None where
    these are not for a model at all."""
    try:
        found = (*await installed(), *parse(kept))
    except ValidationError:
        return None
    demands = tuple(Demand(label, "earlier") for label in labels)
    guard = Guard(found, Asking(None, payer, demands, stream_chat, find_routes), Vault(scope), ())
    told = []
    for text, rules in zip(texts, (None, guard.of_answers()), strict=True):
        looked = await guard.hidden(text, Place.INPUT, is_told=False, rules=rules)
        if looked.blocked:
            return None
        told.append(looked.text)
    return Cover(guard, told)
