"""Characters that nobody sees: a way to hide instructions from people, and words from readers.

Zero-width characters, the tags block, bidi controls, fillers, controls, and selectors of variants:
each of them can spell a whole message between two letters (Unicode TR36, TR39). Joiners stay where
a script or an emoji needs them, and one selector behind a symbol that has two looks.
"""

import re

_NEVER = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SOMETIMES = "\u200c\u200d\ufe0e\ufe0f"
_ANY = re.compile(f"[{_NEVER}{_SOMETIMES}]")

# Arabic to Mongolian: scripts whose letters joiners shape.
_JOINED = "\u0600-\u08ff\u0900-\u0dff\u0e80-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
_SYMBOL = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff0-9#*"
_KEPT = re.compile(
    f"(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])"
    f"|(?<=[{_SYMBOL}])[\ufe0e\ufe0f](?![\ufe00-\ufe0f])"
    f"|(?<=[{_SYMBOL}])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
    f"|(?<=[{_SYMBOL}]\ufe0f)\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)


def without_invisible(text: str) -> tuple[str, int]:
    """The text as a person sees it, and how many characters were taken out."""
    if not _ANY.search(text):
        return text, 0
    kept = {match.start() for match in _KEPT.finditer(text)}
    found = [n for n, sign in enumerate(text) if n in kept or not _ANY.match(sign)]
    return "".join(text[n] for n in found), len(text) - len(found)


def shown(text: str) -> str:
    r"""The text with every invisible character written out, as `\u202e`: for whoever has to judge
    what is really in it."""
    return _ANY.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
