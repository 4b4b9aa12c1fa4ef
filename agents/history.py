"""What of the earlier conversation reaches the search and the model."""

import re
from collections.abc import Sequence

from agents.prompt import Part, Source, Trust, unasked
from agents.prompt_caching import from_anchor
from agents.tokens import estimate_tokens
from agents.types import PastMessage
from knowledge.retrieval.understanding.following import standing_alone

HISTORY_MESSAGES = 20  # that are read at most
_QUOTED = "(Passages from documents were quoted here.)"
_MARKS = re.compile(r"\s?\[\d{1,3}\]")
_SOURCES = {"user": Source.PERSON, "assistant": Source.MODEL}


def retrieval_query(question: str, history: Sequence[PastMessage]) -> str:
    """The question; a short one that points back ("And in Chinese?") brings the previous along."""
    return standing_alone(question, asked_before(history))


def asked_before(history: Sequence[PastMessage]) -> list[str]:
    """The person's own words, oldest first."""
    return [message.text for message in history if message.role == "user"]


def fitting_history(history: Sequence[PastMessage], budget: int) -> list[Part]:
    """The latest messages within `budget` tokens, oldest first, starting with a person's. Of more
    than fit, those from an anchor on: servers remember how the prompt begins.

    Citation marks are taken out: their numbers meant the passages of another turn. Of an answer
    that only quotes documents it is said that it was there: documents are no model's words.
    """
    kept: list[Part] = []
    is_cut = len(history) >= HISTORY_MESSAGES
    for message in reversed(history):
        text = _as_said(message)
        budget -= estimate_tokens(text)
        if budget < 0:
            is_cut = True
            break
        if text.strip():
            kept.append(Part(_SOURCES[message.role], Trust.CONVERSATION, (), text))
    while kept and kept[-1].source is Source.MODEL:
        kept.pop()
    return from_anchor(kept[::-1]) if is_cut else kept[::-1]


def _as_said(message: PastMessage) -> str:
    if message.role != "assistant":
        return message.text or (unasked() if message.attachments else "")
    return _QUOTED if message.is_quoted else _MARKS.sub("", message.text)
