"""What of the earlier conversation reaches the search and the model."""

import re
from collections.abc import Sequence

from agents.prompt import Part, Source, Trust, unasked
from agents.prompt_caching import from_anchor
from agents.tokens import estimate_tokens
from agents.types import PastMessage
from gateway.wording import is_cjk

HISTORY_MESSAGES = 20  # that are read at most
SHORT_WORDS = 6
SHORT_CJK = 10  # characters
# What points back to something said before. "How many vacation days?" does not, short as it is.
_POINTS_BACK = re.compile(
    r"^(?:and|but|or|so|also|then|why|how so|how come|what about|how about|what else|which ones?"
    r"|really|for example|examples?|more|else|since when)\b"
    r"|\b(?:it|its|itself|that|this|those|these|they|them|their|he|him|his|she|her|hers"
    r"|then|the (?:same|other|others|latter|former|first|second|third|last)"
    r"|both|either|instead|otherwise|again|else|too)\b"
    r"|\bthere\W*$",
    re.IGNORECASE,
)
_POINTS_BACK_CJK = re.compile(
    r"^(?:那|还|還|又|再|可是|但|而|所以|然后|然後|为什么|為什麼|为何|為何|怎么会|怎麼會|比如|例如|举例"
    r"|舉例|真的|具体|具體|更)"
    r"|[它他她牠]|这|這|那[个些样種种個樣里裡边邊时時]|其[他它中余餘]|此|(?<!应)该|(?<!應)該"
    r"|前者|后者|後者|同样|同樣|上述|上面|刚才|剛才|[呢]\s*[？?]?$"
)
_QUOTED = "(Passages from documents were quoted here.)"
_MARKS = re.compile(r"\s?\[\d{1,3}\]")
_SOURCES = {"user": Source.PERSON, "assistant": Source.MODEL}


def retrieval_query(question: str, history: Sequence[PastMessage]) -> str:
    """The question; a short one that points back ("And in Chinese?") brings the previous along."""
    previous = next((m.text for m in reversed(history) if m.role == "user"), "")
    return f"{previous}\n{question}" if previous and _is_follow_up(question) else question


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


def _is_follow_up(question: str) -> bool:
    """Short, and with a word that points back: shortness alone says nothing."""
    question = question.strip()
    if is_cjk(question):
        return len(question) <= SHORT_CJK and _POINTS_BACK_CJK.search(question) is not None
    is_short = len(question.split()) <= SHORT_WORDS
    return is_short and _POINTS_BACK.search(question) is not None
