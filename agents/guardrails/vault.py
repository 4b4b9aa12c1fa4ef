"""Placeholders: what a model reads in place of what it must not, and the way back.

A placeholder is made of a keyed hash of what it stands for. So it is the same whenever a run is
taken up again and whatever it has read by then, nobody can guess it, and what is not known (any
more) is simply never opened.
"""

import base64
import re
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from agents.guardrails.types import Span

WORDS = {
    "email": "EMAIL", "phone": "PHONE", "card": "CARD", "iban": "IBAN", "identity": "ID",
    "secret": "SECRET", "link": "LINK", "masked": "MASKED",
}  # fmt: skip
LETTERS = 6
SHORTEST = 4  # characters of what is hidden wherever it comes up again
_PLACEHOLDER = re.compile(rf"\[[A-Z]{{2,8}}_[A-Z2-7]{{{LETTERS}}}\]")
_BEGUN = re.compile(rf"\[(?:[A-Z]{{1,8}}(?:_[A-Z2-7]{{0,{LETTERS}}})?)?\Z")


class Vault:
    """What was hidden in one run; `scope` keeps the same thing apart elsewhere."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._known: dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        return not self._known

    def hide(self, text: str, spans: Iterable[Span]) -> str:
        """The text with a placeholder for each span, which can be opened again."""
        return put(text, ((span, self._placeholder(text, span)) for span in spans))

    def open(self, text: str) -> str:
        if self.is_empty or "[" not in text:
            return text
        return _PLACEHOLDER.sub(lambda found: self._known.get(found[0], found[0]), text)

    def hide_again(self, text: str) -> str:
        """Whatever was hidden before and stands in the text."""
        for placeholder, value in sorted(self._known.items(), key=lambda one: -len(one[1])):
            if len(value) >= SHORTEST:
                text = text.replace(value, placeholder)
        return text

    def _placeholder(self, text: str, span: Span) -> str:
        value, word = text[span.start : span.end], WORDS.get(span.label, "MASKED")
        hashed = salted_hmac(
            "agents.guardrails.vault", f"{self._scope}\0{word}\0{value}", algorithm="sha256"
        )
        code = base64.b32encode(hashed.digest()).decode()
        for at in range(0, len(code) - LETTERS, LETTERS):
            made = f"[{word}_{code[at : at + LETTERS]}]"
            if self._known.setdefault(made, value) == value:
                return made
        return masked(span)


class Opener:
    """Opens placeholders in what comes piece by piece; nothing waits but what may become one."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._held = ""

    def feed(self, text: str) -> str:
        text = self._held + text
        self._held = ""
        if self._vault.is_empty:
            return text
        if begun := _BEGUN.search(text):
            text, self._held = text[: begun.start()], text[begun.start() :]
        return self._vault.open(text)

    def close(self) -> str:
        text, self._held = self._held, ""
        return text


def masked(span: Span) -> str:
    """In place of what nobody gets back."""
    return f"[{WORDS.get(span.label, 'MASKED')}]"


def put(text: str, replacements: Iterable[tuple[Span, str]]) -> str:
    """The text with other words for some spans of it, which are in order and apart."""
    parts, at = [], 0
    for span, words in replacements:
        parts += [text[at : span.start], words]
        at = span.end
    return "".join([*parts, text[at:]])
