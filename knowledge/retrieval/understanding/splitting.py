"""Questions that ask several things, as their parts."""

import re

from knowledge.analyzer import analyze, is_cjk
from knowledge.retrieval.understanding.following import points_back
from knowledge.retrieval.understanding.wording import folded, tidy

MOST_PARTS = 4
LEAST_TERMS = 2  # that say something; of a Chinese part four: characters and pairs both count

_ASKING = (
    r"(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|"
    r"should|must|will|would)"
)
_SEAMS = re.compile(
    rf"[?？!！;；]+\s*(?=\S)|[,，]?\s+(?:and|or|but|also|as well as)\s+(?:also\s+)?(?={_ASKING}\b)"
    rf"|,\s+(?={_ASKING}\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(rf"\b{_ASKING}\b", re.IGNORECASE)
_ASKS_CJK = re.compile(
    "什么|怎么|怎样|如何|为何|哪|谁|几|多少|多久|何时|何地|是否|能否|可否|吗|(.)不\\1|有没有|可不可以"
)
_SEAMS_CJK = re.compile(r"[?？!！;；。]+\s*(?=\S)|[,，、]\s*|(?:以及|并且|而且|另外|还有|同时|和)")
_COMPARED = re.compile(
    r"(?:difference|differences|distinction)\s+between\s+(?P<a>.+?)\s+and\s+(?P<b>.+?)\s*[?.]*$"
    r"|^compare\s+(?P<c>.+?)\s+(?:and|with|to|against)\s+(?P<d>.+?)\s*[?.]*$",
    re.IGNORECASE,
)
_COMPARED_CJK = re.compile(
    r"^(?:请)?(?:比较|对比)?(?P<a>.{2,40}?)(?:和|与|跟|同|及)(?P<b>.{2,40}?)"
    r"(?:之间)?(?:的|有(?:什么|何|哪些)?|在哪些方面)*(?:区别|差别|不同|差异|异同)"
)


def parts_of(question: str) -> list[str]:
    """Two to four parts in its own words; none for a question that asks one thing."""
    found = _compared(question) or _asked(question)
    return found[:MOST_PARTS] if len(found) > 1 else []


def _compared(question: str) -> list[str]:
    """The two sides of a comparison."""
    pattern, text = (_COMPARED_CJK, folded(question)) if is_cjk(question) else (_COMPARED, question)
    found = pattern.search(text)
    sides = [name for name, said in found.groupdict().items() if said] if found else []
    return [tidy(question[found.start(name) : found.end(name)]) for name in sides] if found else []


def _asked(question: str) -> list[str]:
    """Stretches that each ask something; one that asks nothing belongs to the next, at the end to
    the one before it."""
    seams, asking = (_SEAMS_CJK, _ASKS_CJK) if is_cjk(question) else (_SEAMS, _ASKS)
    text = folded(question)
    parts: list[str] = []
    begin = 0
    for seam in seams.finditer(text):
        if asking.search(text, begin, seam.start()) and asking.search(text, seam.end()):
            parts.append(tidy(question[begin : seam.start()]))
            begin = seam.end()
    parts.append(tidy(question[begin:]))
    parts = _standing(parts)
    return parts if all(map(_says_something, parts)) else []


def _says_something(part: str) -> bool:
    return len(set(analyze(part))) >= LEAST_TERMS * (2 if is_cjk(part) else 1)


def _standing(parts: list[str]) -> list[str]:
    """A part that points back ("… and how do I claim it?") takes the first one along."""
    first, *rest = parts
    return [first, *(f"{first}\n{part}" if points_back(part) else part for part in rest)]
