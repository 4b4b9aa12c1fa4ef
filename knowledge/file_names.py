"""Names of files as labels: whatever a client or a file system calls a file. Pure."""

import re
from pathlib import PurePath

LONGEST = 255
LONGEST_ENDING = 20
# Names that are not UTF-8 (from old archives) reach Python with surrogates for their bytes.
_SURROGATES = re.compile("[\ud800-\udfff]")
# Control characters, what nobody sees, and what makes a name read in another order than written.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)


def clean_name(name: str) -> str:
    """The last part of a path, fit to be stored and shown; its ending survives the cut."""
    shown = PurePath(printable(name).replace("\\", "/")).name.strip()
    if len(shown) <= LONGEST:
        return shown or "file"
    ending = PurePath(shown).suffix[:LONGEST_ENDING]
    return shown[: LONGEST - len(ending)] + ending


def printable(text: str) -> str:
    """`text` without control characters; what is no character at all is a replacement mark."""
    return _CONTROLS.sub("", _SURROGATES.sub("\ufffd", text))
