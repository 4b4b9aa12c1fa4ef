"""Regular expressions that people write: checked before they are kept, and never run for long.

`regex` looks at the clock while it searches, which `re` cannot.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex
from django.utils.translation import gettext as _

from agents.guardrails.types import Span, Unchecked
from security.sentences import Sentence

LONGEST = 500  # characters of a pattern
SECONDS = 0.05  # of one search
TRIAL_SECONDS = 0.02
MOST_SIGNS = 12  # of the pattern, of which texts are made to try it
_TRIALS = (
    "a" * 3000 + "!", "1" * 3000 + "!", "ab " * 800 + "!", "x" * 40 + "\n" + "x" * 40,
    "a@" * 800, "-1" * 800, "Aa0_ " * 400 + "é", "中" * 2000 + "!",
)  # fmt: skip


@lru_cache(maxsize=512)
def compiled(pattern: str, ignores_case: bool = False) -> Any:
    """Raises ValueError with what is wrong."""
    flags = regex.VERSION0 | (regex.IGNORECASE if ignores_case else 0)
    try:
        return regex.compile(pattern, flags)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise ValueError(_("This is no regular expression: %s.") % error) from None


def require_quick(pattern: str, ignores_case: bool = False) -> None:
    """Raises ValueError for what is no pattern, matches nothing but emptiness, or takes for ever
    on texts that are made to try it."""
    found = compiled(pattern, ignores_case)
    if found.fullmatch("", timeout=SECONDS):
        raise ValueError(_("This pattern holds for an empty text: it would hold everywhere."))
    signs = list(dict.fromkeys(sign for sign in pattern if sign.isalnum()))[:MOST_SIGNS]
    own = [text for sign in signs for text in (sign * 2000, sign * 2000 + "!")]
    for text in (*_TRIALS, *own, pattern * 20):
        try:
            for _match in found.finditer(text, timeout=TRIAL_SECONDS):
                pass
        except TimeoutError:
            raise ValueError(
                _(
                    "This pattern takes too long on some texts. Avoid repetitions inside of "
                    "repetitions, as in (a+)+."
                )
            ) from None


def matches(pattern: str, ignores_case: bool, text: str, start: int = 0) -> Iterator[Span]:
    """Raises Unchecked where it takes too long."""
    try:
        for found in compiled(pattern, ignores_case).finditer(text, start, timeout=SECONDS):
            if found.end() > found.start():
                yield Span(found.start(), found.end(), "masked")
    except TimeoutError:
        raise Unchecked(Sentence("guardrail_why_pattern")) from None
