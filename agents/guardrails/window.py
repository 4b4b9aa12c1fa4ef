"""An answer held back by as much as rules need to see before any of it is shown.

What is shown of a stream is what would be shown of the whole text: a match of up to WIDTHS
characters is never shown in part, whatever the pieces. One that is not at its end yet is waited
for, up to LONGEST.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.guardrails.checks import apart, begun_at, spans_of
from agents.guardrails.rules import AnyRule, LengthRule
from agents.guardrails.types import Action, Kind, Span
from agents.guardrails.vault import masked, put

WIDTHS = {Kind.REGEX: 200, Kind.SECRETS: 280, Kind.PERSONAL: 100, Kind.DOMAINS: 200}
LONGEST = 8192  # characters that a match at the end of what has come may hold back
CONTEXT = 160  # characters that stay known behind what is shown, for what looks back
EACH = 32  # characters that come before the next look


@dataclass(slots=True)
class Passed:
    """What may be shown now; `blocked` by the rule that ends the answer there."""

    text: str = ""
    blocked: AnyRule | None = None


@dataclass(slots=True)
class SpanWindow:
    """For rules that find parts of a text, and for its length. `counts` are what was found."""

    rules: Sequence[AnyRule]
    counts: dict[int, Counter[str]] = field(default_factory=dict)  # by the place of the rule
    _raw: str = ""  # with CONTEXT in front
    _done: int = 0  # characters of it that are shown, or masked
    _shown: int = 0  # of the whole answer
    _width: int = 0
    _finders: list[tuple[int, AnyRule]] = field(default_factory=list)
    _limits: list[LengthRule] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._finders = [(n, one) for n, one in enumerate(self.rules) if one.kind in WIDTHS]
        self._limits = [one for one in self.rules if isinstance(one, LengthRule)]
        self._width = max((WIDTHS[one.kind] for _n, one in self._finders), default=0)

    def drop_patterns(self) -> None:
        """Patterns that take too long are looked for no more."""
        self._finders = [one for one in self._finders if one[1].kind != Kind.REGEX]

    def feed(self, text: str) -> Passed:
        """Raises Unchecked; what was fed is not lost."""
        self._raw += text
        if not self._finders:
            return self._take(len(self._raw), [])
        if len(self._raw) - self._done < self._width + EACH:
            return Passed()
        return self._pass(len(self._raw) - self._width, is_last=False)

    def close(self) -> Passed:
        """The rest: nothing comes behind it. Raises Unchecked."""
        return self._pass(len(self._raw), is_last=True)

    def _pass(self, end: int, *, is_last: bool) -> Passed:
        found = [
            (n, rule, span)
            for n, rule in self._finders
            for span in spans_of(self._raw, rule, self._done)
        ]
        if not is_last and len(self._raw) - self._done < LONGEST:
            spans = [(span.start - span.before, span.end) for _n, _rule, span in found]
            end = min(end, *(begun_at(self._raw, rule, self._done) for _n, rule in self._finders))
            while cut := [since for since, until in spans if since < end < until]:
                end = min(cut)
        return self._take(end, found)

    def _take(self, end: int, found: Sequence[tuple[int, AnyRule, Span]]) -> Passed:
        """Let through what is before `end`, up to the first thing that blocks."""
        final = [one for one in found if one[2].start < end]
        blocking = [(span.start, n) for n, rule, span in final if rule.action == Action.BLOCK]
        blocked: AnyRule | None = None
        if blocking:
            end, n = min(blocking)
            blocked = self.rules[n]
            self._count(n, [span for m, _rule, span in final if m == n][:1])
            final = [one for one in final if one[2].start < end]
        hidden = []
        for n, rule, span in final:
            part = Span(span.start, min(span.end, end), span.label)
            if rule.action == Action.MASK:
                hidden.append(part)
            if rule.action in {Action.MASK, Action.WARN}:
                self._count(n, [part])
        kept = apart(hidden)
        inside = [Span(s.start - self._done, s.end - self._done, s.label) for s in kept]
        text = put(self._raw[self._done : end], ((span, masked(span)) for span in inside))
        self._forget(end)
        return self._within_length(Passed(text, blocked))

    def _count(self, n: int, spans: Sequence[Span]) -> None:
        self.counts.setdefault(n, Counter()).update(span.label for span in spans)

    def _forget(self, end: int) -> None:
        at = max(0, end - CONTEXT)
        self._raw, self._done = self._raw[at:], end - at

    def _within_length(self, passed: Passed) -> Passed:
        before, self._shown = self._shown, self._shown + len(passed.text)
        for rule in self._limits:
            if self._shown <= rule.most:
                continue
            n = self.rules.index(rule)
            if rule.action == Action.BLOCK:
                self.counts.setdefault(n, Counter())
                return Passed(passed.text[: max(0, rule.most - before)], rule)
            self.counts.setdefault(n, Counter())
        return passed


SEGMENT, LONGEST_SEGMENT = 300, 1000  # characters that are judged together
_ENDS = (". ", ".\n", "! ", "? ", "。", "！", "？", "\n")


class Segments:
    """Cuts a text where sentences end, so that each part can be judged before it is shown."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """A part that is to be judged now; empty while there is none."""
        self._held += text
        if len(self._held) < SEGMENT:
            return ""
        ends = [at + len(sign) for sign in _ENDS if (at := self._held.rfind(sign)) >= 0]
        end = max(ends, default=0)
        if end < SEGMENT // 2:
            end = len(self._held) if len(self._held) >= LONGEST_SEGMENT else 0
        part, self._held = self._held[:end], self._held[end:]
        return part

    def close(self) -> str:
        part, self._held = self._held, ""
        return part
