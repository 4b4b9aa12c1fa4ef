"""How many tokens a text costs, estimated without any model's vocabulary.

Ratios of the 100,000-piece vocabularies in common use, rounded to the cautious side: a little
more than 4 characters of English prose are one token, 3 of code; a Chinese character is about one.
The true counts come back from the server and stand on the usage row.
"""

import re

CHARACTERS_PER_TOKEN = 3.5
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00010000-\U0010ffff]")


def estimate_tokens(text: str) -> int:
    """An upper estimate; never 0 for a text that is not empty."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide + -int(-(len(text) - wide) // CHARACTERS_PER_TOKEN)
