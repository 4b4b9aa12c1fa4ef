"""Search over what a person may see: the parts of it one by one.

`questions` (terms and vectors) → `filters` and `statements` (both legs and their fusion, in SQL) →
`candidates` (several queries become one order) → `searching`, or `streaming` for readers who wait.
`types` has what is handed from one to the next.
"""

from knowledge.retrieval.questions import embed_for
from knowledge.retrieval.searching import search, search_shelves
from knowledge.retrieval.streaming import search_streaming

__all__ = ["embed_for", "search", "search_shelves", "search_streaming"]
