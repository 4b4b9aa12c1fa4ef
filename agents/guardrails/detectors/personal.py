"""Data of people: addresses, numbers of phones, cards, accounts and identity papers.

Each is a pattern and, where the number has one, its check digit. A number without either is a
telephone only in the forms in which people write these, or behind a word that says so.
"""

import re
from collections.abc import Callable, Iterator

from agents.guardrails.detectors.checksums import (
    is_hong_kong_id,
    is_iban,
    is_luhn,
    is_resident_id,
    is_roc_id,
)
from agents.guardrails.types import Span

CONTEXT = 24  # characters before a number in which a word may say what it is

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+@-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}"
    r"(?![A-Za-z0-9-])(?!:[\w~/])(?!/[\w.-]+\.git)"
)
_FILES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "html", "json", "yml",
     "yaml", "md", "txt"}
)  # fmt: skip

_PHONE = re.compile(
    r"(?<![A-Za-z0-9_.+/=#-])(?:\+|00)?\(?\d(?:[ .()/-]{0,2}\d){6,16}(?![A-Za-z0-9_-])(?!\.\d)"
)
_SAID = re.compile(
    r"(?:\b(?:phone|tel|telephone|mobile|cell|call|fax|whatsapp|ring|dial|text)\b"
    r"|电话|電話|手机|手機|致电|致電|拨打|撥打|联系方式|聯絡方式|传真|傳真)[^\d\n]{0,12}$",
    re.IGNORECASE,
)
_PHONE_FORMS = re.compile(
    r"(?:(?:\+|00)86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}"  # mobile, mainland
    r"|0\d{2,3}-\d{7,8}(?:-\d{1,5})?"  # landline, mainland
    r"|09\d{2}[ -]?\d{3}[ -]?\d{3}"  # mobile, Taiwan
    r"|\(?0[2-8]\)?[ -]\d{3,4}[ -]\d{4}"  # landline, Taiwan
    r"|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}"  # North America
    r"|0\d{3,4}[ /-]\d{3}[ -]?\d{3,4}"  # much of Europe, grouped
)
_INTERNATIONAL = re.compile(r"(?:\+|00)[1-9]")

_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\d-])"
                   r"|(?<![\d.-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\d-])")  # fmt: skip
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"\d{3}[\dXx](?![0-9A-Za-z])"
)
_ROC = re.compile(r"(?<![0-9A-Za-z])[A-Z][1289]\d{8}(?![0-9A-Za-z])")
_HONG_KONG = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,2}\d{6}\([0-9A]\)")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")


def emails(text: str, start: int = 0) -> Iterator[Span]:
    for found in _EMAIL.finditer(text, start):
        if found[0].rpartition(".")[2].lower() not in _FILES:
            yield Span(found.start(), found.end(), "email")


def phones(text: str, start: int = 0) -> Iterator[Span]:
    for found in _PHONE.finditer(text, start):
        number, at = found[0].rstrip(" .()/-"), found.start()
        if number.startswith("(") and ")" not in number:
            number, at = number[1:], at + 1
        if _is_phone(number, text[max(0, at - CONTEXT) : at]):
            yield Span(at, at + len(number), "phone")


def _is_phone(number: str, before: str) -> bool:
    count = sum(map(str.isdigit, number))
    if _PHONE_FORMS.fullmatch(number):
        return True
    if _INTERNATIONAL.match(number):
        return 9 <= count <= 15
    return 7 <= count <= 13 and bool(_SAID.search(before))


def cards(text: str, start: int = 0) -> Iterator[Span]:
    for found in _CARD.finditer(text, start):
        digits = re.sub(r"\D", "", found[0])
        if 13 <= len(digits) <= 19 and len(set(digits)) > 1 and is_luhn(digits):
            yield Span(found.start(), found.end(), "card")


def ibans(text: str, start: int = 0) -> Iterator[Span]:
    """Where a word follows, the pattern may have taken it along: shorter ones are tried."""
    for found in _IBAN.finditer(text, start):
        for end in range(found.end(), found.start() + 14, -1):
            packed = text[found.start() : end].replace(" ", "")
            if text[end - 1] != " " and is_iban(packed):
                yield Span(found.start(), end, "iban")
                break


def identities(text: str, start: int = 0) -> Iterator[Span]:
    """Numbers of identity cards: mainland China, Taiwan, Hong Kong; of social security, US."""
    for pattern, is_valid in _IDENTITIES:
        for found in pattern.finditer(text, start):
            if is_valid(re.sub(r"[()]", "", found[0])):
                yield Span(found.start(), found.end(), "identity")


_IDENTITIES: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_RESIDENT, is_resident_id),
    (_ROC, is_roc_id),
    (_HONG_KONG, is_hong_kong_id),
    (_SSN, lambda _text: True),
)

DETECTORS: dict[str, Callable[[str, int], Iterator[Span]]] = {
    "identity": identities,
    "iban": ibans,
    "card": cards,
    "email": emails,
    "phone": phones,
}  # the surer ones first: of two that overlap the first counts
