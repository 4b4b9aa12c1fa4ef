"""Steps that are kept with an answer for this page alone: no reader's events or steps have them."""

SEARCH = "search_kept"
PROMPT = "prompt_kept"
KEPT = frozenset({SEARCH, PROMPT})
