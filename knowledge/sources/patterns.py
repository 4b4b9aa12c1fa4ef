"""Which paths are wanted: patterns as people write them in .gitignore, `**` for any depth. Pure.

`docs/**` is all below docs, `*.md` is every Markdown file at any depth, `/README.md` the one at the
top. Nothing included means everything; what is excluded wins.

Patterns and paths are both written by others, so no regular expression decides: a pattern is a row
of states in the bits of a number, and a path is read once, sign by sign, whatever both look like.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

MOST = 50
LONGEST = 300
SECRET = (".env", ".env.*", "*.env")


class Wanted:
    """What a source takes of what it finds. Files of environments hold passwords and are left out
    whatever is included: who wants one in a collection uploads it."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = [compile_pattern(pattern) for pattern in include]
        self._exclude = [compile_pattern(pattern) for pattern in (*SECRET, *exclude)]

    def __contains__(self, path: object) -> bool:
        text = str(path).lstrip("/")
        if any(pattern.matches(text) for pattern in self._exclude):
            return False
        return not self._include or any(pattern.matches(text) for pattern in self._include)


class Pattern:
    """States in the order of the pattern's signs; a bit that is set is a state that is reached."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._goes: dict[str, int] = defaultdict(int)  # sign to the states it leads on from
        self._goes_by_any = 0
        self._stays_by_any = self._stays_in_name = 0
        self._skips_one = self._skips_two = 0
        state = 1
        for piece in pieces:
            if piece == "**/":  # none, or anything up to a slash
                self._skips_one |= state
                self._skips_two |= state
                state <<= 1
                self._stays_by_any |= state
                self._goes["/"] |= state
            elif piece in {"*", "**"}:
                self._skips_one |= state
                if piece == "*":
                    self._stays_in_name |= state
                else:
                    self._stays_by_any |= state
            elif piece == "?":
                self._goes_by_any |= state
            else:
                self._goes[piece] |= state
            state <<= 1
        self._end = state

    def matches(self, text: str) -> bool:
        """Whether the pattern is the whole text."""
        reached = self._skipped(1)
        goes = dict(self._goes)
        for sign in text:
            forward = goes.get(sign, 0)
            stays = self._stays_by_any
            if sign != "/":
                forward |= self._goes_by_any
                stays |= self._stays_in_name
            reached = self._skipped(((reached & forward) << 1) | (reached & stays))
            if not reached:
                return False
        return bool(reached & self._end)

    def _skipped(self, reached: int) -> int:
        while True:
            more = reached | (reached & self._skips_one) << 1 | (reached & self._skips_two) << 2
            if more == reached:
                return reached
            reached = more


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Pattern:
    """`*` and `?` stop at a slash. Without a slash inside, a pattern is for any depth."""
    is_for_any_depth = "/" not in pattern.strip().rstrip("/")
    text = pattern.strip().lstrip("/")
    if text.endswith("/"):
        text += "**"
    pieces = re.findall(r"\*\*+/|\*\*+|.", text, re.DOTALL)
    pieces = [re.sub(r"\*\*+", "**", piece) for piece in pieces]
    return Pattern(["**/", *pieces] if is_for_any_depth else pieces)
