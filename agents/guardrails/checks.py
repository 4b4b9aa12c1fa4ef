"""Whether a rule holds for a text: pure, for all kinds that ask nobody."""

import re
from collections.abc import Iterable, Iterator

from agents.guardrails.detectors.domains import address_at_the_end, strange_addresses
from agents.guardrails.detectors.injection import injections
from agents.guardrails.detectors.personal import DETECTORS
from agents.guardrails.detectors.secrets import secrets
from agents.guardrails.patterns import matches
from agents.guardrails.rules import (
    AnyRule,
    DomainsRule,
    InjectionRule,
    LanguageRule,
    LengthRule,
    PersonalRule,
    RegexRule,
    SecretsRule,
)
from agents.guardrails.types import Finding, Span, Unchecked
from knowledge.languages import guess_language
from security.sentences import Sentence

_DIGITS = re.compile(r"\d(?:\D{0,3}\d){5}")  # none of the numbers has fewer

MOST_SPANS = 2000  # of one rule in one text
LEAST_LETTERS = 20  # from which a language is told; of Chinese characters fewer say it
LEAST_WIDE = 6

# Punctuation stays: it ends what is looked for.
_FULL_WIDTH = {
    code: code - 0xFEE0
    for code in range(0xFF01, 0xFF5F)
    if chr(code - 0xFEE0).isalnum() or chr(code - 0xFEE0) in "@.-_+/"
}


def check(text: str, rule: AnyRule) -> Finding | None:
    """What the rule finds; raises Unchecked. For rules that ask nobody."""
    match rule:
        case LengthRule():
            return Finding(detail=str(len(text))) if len(text) > rule.most else None
        case LanguageRule():
            return _language(text, rule)
    spans = tuple(spans_of(text, rule))
    if len(spans) > MOST_SPANS:
        raise Unchecked(Sentence("guardrail_why_many"))
    return Finding(spans) if spans else None


def spans_of(text: str, rule: AnyRule, start: int = 0) -> list[Span]:
    """Where the rule holds behind `start`, in order, none over another."""
    match rule:
        case RegexRule():
            found: Iterable[Span] = matches(rule.pattern, rule.ignores_case, text, start)
        case SecretsRule():
            found = secrets(narrow(text), start)
        case PersonalRule():
            found = _personal(narrow(text), rule, start)
        case DomainsRule():
            found = strange_addresses(narrow(text), rule.allowed, start)
        case InjectionRule():
            found = injections(text, start)
        case _:
            return []
    return apart(found)


def begun_at(text: str, rule: AnyRule, start: int = 0) -> int:
    """From where on nobody can tell yet whether the rule will hold."""
    if isinstance(rule, DomainsRule):
        return address_at_the_end(narrow(text), start)
    return len(text)


def narrow(text: str) -> str:
    """Full-width signs as the usual ones, each in its place: １３８ is a number as well."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def apart(spans: Iterable[Span]) -> list[Span]:
    """In order; those that overlap as one, under the name of the one that was named first."""
    kept: list[tuple[int, Span]] = []
    for one in sorted(enumerate(spans), key=lambda one: one[1].start):
        if kept and one[1].start < kept[-1][1].end:
            kept.append(_merged(kept.pop(), one))
        else:
            kept.append(one)
    return [span for _n, span in kept]


def _merged(a: tuple[int, Span], b: tuple[int, Span]) -> tuple[int, Span]:
    """`a` begins first. The number is its place among those that were named."""
    n, first = min(a, b, key=lambda one: one[0])
    since = min(span.start - span.before for _n, span in (a, b))
    end = max(a[1].end, b[1].end)
    return n, Span(a[1].start, end, first.label, a[1].start - since)


def _personal(text: str, rule: PersonalRule, start: int) -> Iterator[Span]:
    wanted = set(rule.data)
    if "@" not in text:
        wanted.discard("email")
    if not _DIGITS.search(text, start):
        wanted &= {"email"}
    for name, find in DETECTORS.items():
        if name in wanted:
            yield from find(text, start)


def _language(text: str, rule: LanguageRule) -> Finding | None:
    letters = sum(map(str.isalpha, text))
    wide = sum("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" for sign in text)
    if letters < LEAST_LETTERS and wide < LEAST_WIDE:
        return None
    language = guess_language(text)
    return Finding(detail=language) if language and language not in rule.languages else None
