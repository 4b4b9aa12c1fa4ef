"""What somebody asks to be remembered, read from their own words by rule: no model is involved."""

import re
from dataclasses import dataclass

from agents.memory.models import LONGEST
from gateway.sentences import split_sentences

LONGEST_MESSAGE = 4000  # characters
QUOTE = ('"', "“", "‘", "'", "「", "『", "«", ">")

_ENGLISH = re.compile(
    r"(?:please[,:]?\s+|(?:can|could|would)\s+you\s+(?:please\s+)?|and\s+|also[,:]?\s+)*"
    r"(?:(?:remember|don['’]t\s+forget|keep\s+in\s+mind|note)\s+(?:that|to)\s+"
    r"|(?:remember|save\s+to\s+memory)\s*:\s*"
    r"|remember\s+(?=(?:I|I['’]m|I['’]ve|I['’]d|my|we|our)\b))"
    r"(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_CHINESE = re.compile(
    r"(?:[请請麻烦煩你您帮幫我]|还有|還有)*(?:记住|記住|记得|記得|记下来?|記下來?|记一下|記一下"
    r"|别忘了|別忘了|不要忘记|不要忘記)[，,：:\s]*(?P<what>.+)",
    re.DOTALL,
)
# One of these is in every wish: most messages are known for none by a single look.
_HINTS = re.compile(r"remember|forget|in\s+mind|note|memory|记|記|忘", re.IGNORECASE)
_ASKS = re.compile(r"[?？]\s*$|[吗嗎]\s*[。.]?\s*$")


@dataclass(frozen=True, slots=True)
class Wishes:
    """The facts, in the person's words; `is_all` when the message asks for nothing else."""

    facts: tuple[str, ...] = ()
    is_all: bool = False


def find_wishes(message: str) -> Wishes:
    """“Remember that I work in Munich.” A question (“Do you remember …?”) is none."""
    if not _HINTS.search(message):
        return Wishes()
    sentences = own_sentences(message)
    found = [fact for sentence in sentences if (fact := _wish(sentence))]
    is_all = bool(found) and len(found) == len(split_sentences(message))
    return Wishes(tuple(found), is_all)


def own_sentences(message: str) -> list[str]:
    """What the person says themselves: without code and quotations, and nothing of what is so long
    that it was pasted."""
    if len(message) > LONGEST_MESSAGE:
        return []
    lines, is_code = [], False
    for line in message.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code and not line.lstrip().startswith(QUOTE):
            lines.append(line)
    return [line[start:end] for line in lines for start, end in split_sentences(line)]


def _wish(sentence: str) -> str:
    if _ASKS.search(sentence):
        return ""
    match = _ENGLISH.match(sentence) or _CHINESE.match(sentence)
    return tidy(match["what"]) if match else ""


def tidy(text: str) -> str:
    """One line without the full stop, as long as a memory may be."""
    line = " ".join(text.replace("\0", "").split()).rstrip(" .。!！")
    return line[:LONGEST].rstrip()
