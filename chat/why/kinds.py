"""Steps that are kept with an answer for this page alone: no reader's events or steps have them."""

SEARCH = "search_kept"
PROMPT = "prompt_kept"
CALL = "call_kept"  # of a tool that searched
KEPT = frozenset({SEARCH, PROMPT, CALL})
