"""An answer on its way to its reader: what was hidden from the model is put back, and nothing is
shown that a rule holds back."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from agents.guardrails.guard import AT_ONCE, Guard
from agents.guardrails.rules import AnyRule, LengthRule
from agents.guardrails.types import Action, Place, Unchecked
from agents.guardrails.vault import Opener
from agents.guardrails.window import WIDTHS, Passed, Segments, SpanWindow
from agents.types import (
    AgentTask,
    Finished,
    NoteTaken,
    ReasoningDelta,
    RetrievalCompleted,
    Step,
    TextDelta,
    ToolApprovalRequested,
    ToolCalled,
)
from gateway.types import Completed, StreamItem, TokenUsage
from knowledge.quality.approved import Approved
from security.sentences import together

Items = AsyncGenerator[StreamItem | Step, None]
ENDS = (ToolCalled, ToolApprovalRequested, NoteTaken, Completed)  # before them nothing is held back
STOPPED = "content_filter"  # as the protocol calls it


class Blocked(Exception):
    """A rule ends the answer; `said` tells it, `text` is what may still be shown before."""

    def __init__(self, said: str, text: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.text = text


class Filter:
    """One stream of words, held back by what its rules need."""

    def __init__(self, guard: Guard, *, opens: bool = True) -> None:
        self._guard = guard
        self._opener = Opener(guard.vault) if opens else None
        rules = guard.at(Place.OUTPUT)
        self._finding = [(n, one) for n, one in rules if one.kind in WIDTHS or one.kind == "length"]
        self._judging = [(n, one) for n, one in rules if (n, one) not in self._finding]
        self._begin()
        self._segments = Segments()
        self.is_open = False  # whether something may be held back

    def _begin(self) -> None:
        self._window = SpanWindow([one for _n, one in self._finding])

    async def feed(self, text: str) -> str:
        """What may be shown now; raises Blocked."""
        self.is_open = True
        if self._opener:
            text = self._opener.feed(text)
        return await self._pass(self._window.feed, text)

    async def close(self) -> str:
        """What was held back: nothing comes that belongs to it. Raises Blocked."""
        if not self.is_open:
            return ""
        self.is_open = False
        shown = ""
        try:
            if self._opener and (rest := self._opener.close()):
                shown += await self._pass(self._window.feed, rest)
            shown += await self._pass(lambda _text: self._window.close(), "")
            if self._judging and (part := self._segments.close()):
                shown += await self._judged(part)
        except Blocked as blocked:
            raise Blocked(blocked.said, shown + blocked.text) from None
        return shown

    async def _pass(self, step: Callable[[str], Passed], text: str) -> str:
        passed = self._look(step, text)
        shown = passed.text
        if self._judging and shown:
            part = self._segments.feed(shown)
            shown = await self._judged(part) if part else ""
        if passed.blocked is not None:
            if self._judging and (rest := self._segments.close()):
                shown += await self._judged(rest, shown)
            raise Blocked(self._told(passed.blocked), shown)
        return shown

    def _look(self, step: Callable[[str], Passed], text: str) -> Passed:
        """A pattern that takes too long counts as its rule says."""
        try:
            passed = step(text)
        except Unchecked as error:
            slow = self._slow(error)
            if slow is None:  # all of them let it pass: the others look on without it
                return self._look(step, "")
            raise Blocked(slow) from None
        return passed

    def _slow(self, error: Unchecked) -> str | None:
        patterns = [(n, rule) for n, rule in self._finding if rule.kind == "regex"]
        for n, _rule in patterns:
            if said := self._guard.fails(n, Place.OUTPUT, error):
                return said
        self._finding = [one for one in self._finding if one not in patterns]
        self._window.drop_patterns()
        return None

    async def _judged(self, part: str, before: str = "") -> str:
        """The part, once those who judge whole texts have seen it."""
        for n, rule in self._judging:
            try:
                finding = await self._guard.find(rule, part)
            except Unchecked as error:
                if said := self._guard.fails(n, Place.OUTPUT, error):
                    raise Blocked(said, before) from None
                continue
            if finding is None:
                continue
            act = self._guard.acts(n, Place.OUTPUT, finding.counts, finding.detail)
            if rule.action == Action.BLOCK:
                raise Blocked(act.said, before)
        return part

    def _told(self, rule: AnyRule) -> str:
        self.tell(without=rule)
        n, _rule = next(one for one in self._finding if one[1] is rule)
        counts = self._window.counts.pop(self._place_of(rule), Counter())
        return self._guard.acts(n, Place.OUTPUT, counts, _length(rule)).said

    def tell(self, without: AnyRule | None = None) -> None:
        """What was masked and pointed out since the last time."""
        for n, rule in self._finding:
            place = self._place_of(rule)
            if rule is without or place not in self._window.counts:
                continue
            counts = self._window.counts.pop(place)
            self._guard.acts(n, Place.OUTPUT, counts, _length(rule))

    def _place_of(self, rule: AnyRule) -> int:
        return next(at for at, one in enumerate(self._window.rules) if one is rule)


def _length(rule: AnyRule) -> str:
    return f"> {rule.most}" if isinstance(rule, LengthRule) else ""


async def heard(task: AgentTask, items: Items, *, opens: bool = True) -> Items:
    """The same items, with words as they may be shown. An answer that is blocked ends there, and so
    does the call of its model; with `opens` off placeholders stay, for another model."""
    guard = task.guard
    if guard is None:
        async with aclosing(items):
            async for item in items:
                yield item
        return
    if guard.blocked:  # the question was handed over to somebody whose rules hold it back
        await items.aclose()
        yield TextDelta(guard.blocked)
        yield stopped()
        return
    hearing = Hearing(guard, opens=opens)
    try:
        async with aclosing(items):
            async for item in items:
                for shown in await hearing.take(item):
                    yield shown
        for shown in await hearing.end():  # a run that waits for its person
            yield shown
    except Blocked as blocked:
        for shown in hearing.blocked(blocked):
            yield shown


class Hearing:
    """The words and the thoughts of one answer."""

    def __init__(self, guard: Guard, *, opens: bool) -> None:
        self._words = Filter(guard, opens=opens)
        self._thoughts = Filter(guard, opens=opens)
        self._is_thinking = False
        self._has_spoken = False

    async def take(self, item: StreamItem | Step) -> list[StreamItem | Step]:
        """What of it, and of what was held back, may be shown now; raises Blocked."""
        if isinstance(item, ReasoningDelta):
            self._is_thinking = True
            shown = await self._thoughts.feed(item.text)
            return [ReasoningDelta(shown)] if shown else []
        found: list[StreamItem | Step] = []
        if self._is_thinking and (rest := await _rest(self._thoughts)):
            found.append(ReasoningDelta(rest))
        self._is_thinking = False
        if isinstance(item, TextDelta):
            return found + self._said(await self._words.feed(item.text))
        if isinstance(item, ENDS):
            found += self._said(await _rest(self._words))
        return [*found, item]

    async def end(self) -> list[StreamItem | Step]:
        return self._said(await _rest(self._words))

    def blocked(self, blocked: Blocked) -> list[StreamItem | Step]:
        """The last that is shown: what stood before, or why there is nothing."""
        self._thoughts.tell()
        self._words.tell()
        if self._is_thinking and blocked.text:
            return [ReasoningDelta(blocked.text), *self._said(blocked.said), stopped()]
        text = blocked.text if blocked.text or self._has_spoken else blocked.said
        return [*self._said(text), stopped()]

    def _said(self, text: str) -> list[StreamItem | Step]:
        self._has_spoken = self._has_spoken or bool(text)
        return [TextDelta(text)] if text else []


async def _rest(one: Filter) -> str:
    rest = await one.close()
    one.tell()
    return rest


async def as_shown(guard: Guard | None, text: str) -> str:
    """What readers are shown of words that no rule blocked."""
    if guard is None or not text:
        return text
    text = guard.vault.open(text)
    rules = [rule for _n, rule in guard.at(Place.OUTPUT) if rule.action == Action.MASK]
    if not rules:
        return text
    if len(text) <= AT_ONCE:
        return _masked(rules, text)
    return await asyncio.to_thread(_masked, rules, text)  # others of this loop would wait


def _masked(rules: Sequence[AnyRule], text: str) -> str:
    window = SpanWindow(rules)
    try:
        return window.feed(text).text + window.close().text
    except Unchecked:
        return text


def stopped() -> Completed:
    """The end of an answer that a rule ended."""
    return Completed(STOPPED, TokenUsage(), "", "", 0, 0, attempts=0)


async def around(task: AgentTask, steps: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
    """The steps of a run with what its rules did between them, and said at the end."""
    guard = task.guard
    if guard is None:
        async with aclosing(steps):
            async for step in steps:
                yield step
        return
    for act in guard.take_news():
        yield act
    if guard.blocked:
        await steps.aclose()
        yield RetrievalCompleted("", (), 0.0)
        yield TextDelta(guard.blocked)
        yield Finished(guard.blocked, "", is_offline=False)
        return
    async with aclosing(steps):
        async for step in steps:
            for act in guard.take_news():
                yield act
            yield (
                replace(step, notice=_noticed(guard, step)) if isinstance(step, Finished) else step
            )


def _noticed(guard: Guard, done: Finished) -> str:
    return together([done.notice, *guard.notices])


async def cleared(task: AgentTask, given: Approved) -> Approved | None:
    """A curator's answer as it may be shown; None where it may not be."""
    if task.guard is None:
        return given
    words = Filter(task.guard)
    try:
        shown = await words.feed(given.text) + await words.close()
    except Blocked:
        return None
    words.tell()
    return replace(given, text=shown)
