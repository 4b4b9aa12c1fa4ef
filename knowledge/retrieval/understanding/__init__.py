"""What a question means for a search, by rules alone: no model, no network, no database.

`following` lets it stand alone, `splitting` finds its parts, `filters` what it narrows by (with
`days` and `kinds`), `glossary` its other words; `understand` puts them together.
"""

from knowledge.retrieval.understanding.filters import Narrowing, Recognised, as_filters
from knowledge.retrieval.understanding.rules import LONGEST, Understood, understand

__all__ = ["LONGEST", "Narrowing", "Recognised", "Understood", "as_filters", "understand"]
