"""What guardrails are made of. No Django here."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a text is looked at."""

    REGEX = "regex"
    LENGTH = "length"
    LANGUAGE = "language"
    TOPIC = "topic"
    SECRETS = "secrets"
    PERSONAL = "personal_data"
    MODERATION = "moderation"
    JUDGE = "judge"
    DOMAINS = "domains"
    INJECTION = "injection"


class Place(StrEnum):
    """Where a text is looked at."""

    INPUT = "input"  # what the person says, now and before
    RETRIEVED = "retrieved"  # passages of documents, attached ones too
    TOOL_CALL = "tool_call"  # arguments, as a tool would get them
    TOOL_RESULT = "tool_result"
    OUTPUT = "output"  # what the model says to the reader


class Action(StrEnum):
    BLOCK = "block"
    MASK = "mask"
    WARN = "warn"
    ASK = "ask"  # of calls of tools alone


class OnFailure(StrEnum):
    """What counts where a rule could not be checked."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters that a rule is about; `label` is the name of a sentence and of placeholders. What
    it is recognised by may stand `before` it, in that many characters."""

    start: int
    end: int
    label: str
    before: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """That a rule holds for a text: where, or for the whole of it with a `detail`."""

    spans: tuple[Span, ...] = ()
    detail: str = ""

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(span.label for span in self.spans))


class Unchecked(Exception):
    """A rule could not be applied; the text says why, to people who may change that."""
