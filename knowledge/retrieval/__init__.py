"""Search over what a person may see: the parts of it one by one.

`questions` (terms and vector) → `statements` (both legs and their fusion, in SQL) → `searching`;
`types` has what is handed from one to the next.
"""

from knowledge.retrieval.questions import embed_for
from knowledge.retrieval.searching import search, search_shelves

__all__ = ["embed_for", "search", "search_shelves"]
