"""The rules of one run and what they did: everything that comes to a model, from it, or through
tools passes one of these methods.

A run has a guard only where there are rules; without one nothing is looked at and nothing waits.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from agents.guardrails.asking import Asking, ask
from agents.guardrails.checks import apart, check
from agents.guardrails.metrics import outcomes
from agents.guardrails.rules import AnyRule, FindsParts, stored
from agents.guardrails.types import Action, Finding, OnFailure, Place, Span, Unchecked
from agents.guardrails.vault import Vault
from agents.types import AgentTask, GuardrailActed, PackedPassage
from gateway.labels import Demand
from security.sentences import Sentence

Numbered = tuple[int, AnyRule]
READ = frozenset({Place.RETRIEVED, Place.TOOL_RESULT})
AT_ONCE = 10_000  # characters that are looked at on the event loop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """A text as it goes on. `spans` are what is masked in it; `blocked` says that nothing of it
    goes on, `asks` that a person decides."""

    text: str
    spans: tuple[Span, ...] = ()
    blocked: str = ""
    asks: str = ""


@dataclass(slots=True)
class Guard:
    """`rules` are the installation's, then the agent's. `blocked` says why nothing is asked."""

    rules: tuple[AnyRule, ...]
    asking: Asking
    vault: Vault
    of: tuple[Any, ...]
    blocked: str = ""
    # Shared with the guards of agents that take part in the same answer.
    news: list[GuardrailActed] = field(default_factory=list)
    done: dict[tuple[str, Place, str], GuardrailActed] = field(default_factory=dict)

    def following(self, rules: tuple[AnyRule, ...], asking: Asking) -> "Guard":
        """Of another agent in the same answer: what was hidden is opened by both."""
        return Guard(rules, asking, self.vault, (), news=self.news, done=self.done)

    def at(self, place: Place) -> list[Numbered]:
        return [(n, rule) for n, rule in enumerate(self.rules) if place in rule.places]

    def of_answers(self) -> list[Numbered]:
        """For what an answer of before says: it has the words again that were hidden in it, of
        passages and results as well. Those that judge a whole text judge what is asked alone."""
        return [
            (n, rule)
            for n, rule in enumerate(self.rules)
            if Place.INPUT in rule.places
            or (isinstance(rule, FindsParts) and READ.intersection(rule.places))
        ]

    @property
    def key(self) -> str:
        """What answers depend on that are kept to be given again."""
        told = [stored(rule) for rule in self.rules]
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def demand(self, demands: Iterable[Demand]) -> None:
        """Whoever is asked from now on has these labels as well."""
        known = dict.fromkeys((*self.asking.demands, *demands))
        self.asking = replace(self.asking, demands=tuple(known))

    async def look(
        self,
        text: str,
        place: Place,
        *,
        is_told: bool = True,
        rules: Sequence[Numbered] | None = None,
    ) -> Looked:
        """The text as `rules`, those of this place, let it go on. What was told before is not told
        again."""
        spans: list[Span] = []
        asks = ""
        for n, rule in self.at(place) if rules is None else rules:
            try:
                finding = await self.find(rule, text)
            except Unchecked as error:
                said = self.fails(n, place, error, is_told=is_told)
                if said and rule.action == Action.ASK:
                    asks = asks or said
                elif said:
                    return Looked("", blocked=said)
                continue
            if finding is None:
                continue
            act = self.acts(n, place, finding.counts, finding.detail, is_told=is_told)
            if rule.action == Action.BLOCK:
                return Looked("", blocked=act.said)
            if rule.action == Action.MASK:
                spans += finding.spans
            elif rule.action == Action.ASK:
                asks = asks or act.said
        return Looked(text, tuple(apart(spans)), asks=asks)

    async def find(self, rule: AnyRule, text: str) -> Finding | None:
        """Raises Unchecked."""
        if rule.asks_somebody:
            return await ask(rule, text, self.asking)
        if len(text) <= AT_ONCE:
            return check(text, rule)
        return await asyncio.to_thread(check, text, rule)  # others of this loop would wait

    async def hidden(
        self,
        text: str,
        place: Place,
        *,
        is_told: bool = True,
        rules: Sequence[Numbered] | None = None,
    ) -> Looked:
        """The same, with placeholders that are opened again in the answer."""
        looked = await self.look(text, place, is_told=is_told, rules=rules)
        return replace(looked, text=self.vault.hide(looked.text, looked.spans))

    async def passages(
        self, passages: Sequence[PackedPassage], *, is_told: bool = True
    ) -> tuple[PackedPassage, ...]:
        """Without those that are blocked; what is masked in one stands beside it: the passage
        itself stays as it is stored, so that it can be cited truthfully."""
        if not self.at(Place.RETRIEVED):
            return tuple(passages)
        looked = await asyncio.gather(*(self._passage(one, is_told) for one in passages))
        return tuple(one for one in looked if one is not None)

    async def _passage(self, passage: PackedPassage, is_told: bool) -> PackedPassage | None:
        text = await self.hidden(passage.text, Place.RETRIEVED, is_told=is_told)
        if text.blocked:
            return None
        label = await self.hidden(passage.label, Place.RETRIEVED, is_told=False)
        if label.blocked:
            return None
        if not (text.spans or label.spans):
            return passage
        return replace(passage, told=(label.text, text.text))

    def acts(
        self,
        n: int,
        place: Place,
        counts: Mapping[str, int],
        detail: str = "",
        *,
        is_told: bool = True,
    ) -> GuardrailActed:
        """That the rule with this number did what it does."""
        rule = self.rules[n]
        known = self.done.get((rule.name, place, "acted")) if is_told else None
        total = dict(Counter(counts) + Counter(known.counts if known else {}))
        said = sentence_of(rule, place, total, detail)
        return self._note(n, place, "acted", said, total, is_told=is_told)

    def fails(self, n: int, place: Place, error: Unchecked, *, is_told: bool = True) -> str:
        """That it could not be checked: empty where that lets the text pass."""
        rule = self.rules[n]
        is_closed = rule.on_failure == OnFailure.CLOSED and rule.action != Action.WARN
        outcome = "failed_closed" if is_closed else "failed_open"
        why = error.args[0] if error.args else ""
        code = "guardrail_unchecked_closed" if is_closed else "guardrail_unchecked_open"
        act = self._note(
            n, place, outcome, Sentence(code, rule=rule.name, why=why), {}, is_told=is_told
        )
        log.warning("guardrail of the kind %s was not checked at %s", rule.kind, place)
        return act.said if is_closed else ""

    def _note(
        self,
        n: int,
        place: Place,
        outcome: str,
        said: Sentence,
        counts: Mapping[str, int],
        *,
        is_told: bool,
    ) -> GuardrailActed:
        rule = self.rules[n]
        act = GuardrailActed(
            rule.name, rule.kind.value, place.value, rule.action.value, outcome, dict(counts), said
        )
        if is_told:
            outcomes.labels(rule.kind.value, place.value, rule.action.value, outcome).inc()
            self.done[rule.name, place, outcome] = act
            self.news.append(act)
        return act

    def take_news(self) -> list[GuardrailActed]:
        """What was done since the last time, each rule's at a place as one."""
        found = {(one.rule, one.place, one.outcome): one for one in self.news}
        self.news.clear()
        return list(found.values())

    @property
    def notices(self) -> list[str]:
        return [act.said for act in self.done.values()]


def sentence_of(
    rule: AnyRule, place: Place, counts: Mapping[str, int], detail: str = ""
) -> Sentence:
    """What the rule did, to whoever reads the answer: never with words of the text."""
    found: Any = [
        Sentence("guardrail_count", label=Sentence(f"guardrail_label_{name}"), n=n)
        for name, n in counts.items()
    ] or Sentence(f"guardrail_whole_{rule.kind.value}", what=_short(detail))
    reason = rule.reason or (
        Sentence("guardrail_found", found=found) if rule.action != Action.WARN else ""
    )
    match rule.action:
        case Action.BLOCK:
            return Sentence(f"guardrail_blocked_{place.value}", rule=rule.name, reason=reason)
        case Action.MASK:
            return Sentence(f"guardrail_masked_{place.value}", rule=rule.name, found=found)
        case Action.ASK:
            return Sentence("guardrail_asks", rule=rule.name, reason=reason)
        case _:
            where = Sentence(f"guardrail_place_{place.value}")
            return Sentence(
                "guardrail_warned", rule=rule.name, place=where, found=found, reason=reason
            )


def _short(detail: str) -> str:
    return detail[:120]


def whose(task: AgentTask) -> tuple[Any, ...]:
    """What a guard was made for: a task with another agent or question needs another one."""
    return (task.agent.id, task.agent.slug, task.agent.guardrails, task.question)


def require_admitted(task: AgentTask) -> None:
    """Nobody writes a prompt for an agent with rules before these were looked at."""
    if task.agent.guardrails and (task.guard is None or task.guard.of != whose(task)):
        raise RuntimeError("a task of an agent with guardrails was not admitted")
