"""A question that points back, made to stand alone by what was asked before it."""

import re
from collections.abc import Sequence

from knowledge.analyzer import is_cjk

SHORT_WORDS = 6
SHORT_CJK = 10  # characters
MOST_BACK = 3  # questions that one can point back over
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
    r"|[它他她牠]|这|這|那[个些样种种個樣里裡边邊时時]|其[它他中余餘]|此|(?<!应)该|(?<!應)該"
    r"|前者|后者|後者|同样|同樣|上述|上面|刚才|剛才|[呢]\s*[？?]?$"
)


def points_back(question: str) -> bool:
    """Short, and with a word that points back: shortness alone says nothing."""
    question = question.strip()
    if is_cjk(question):
        return len(question) <= SHORT_CJK and _POINTS_BACK_CJK.search(question) is not None
    is_short = len(question.split()) <= SHORT_WORDS
    return is_short and _POINTS_BACK.search(question) is not None


def standing_alone(question: str, asked: Sequence[str]) -> str:
    """The question, below those of the person that it points back to (`asked`, oldest first).

    Its own words stay as they are and are the last of it.
    """
    lines = [question]
    for before in reversed(asked[-MOST_BACK:]):
        if not points_back(lines[0]):
            break
        lines.insert(0, before)
    return "\n".join(filter(None, lines)) if len(lines) > 1 else question
