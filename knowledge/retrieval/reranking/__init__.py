"""Found passages put in a better order by whoever reads them together with the question.

`endpoint` asks a rerank model of the gateway, `crossing` runs a cross-encoder on this machine,
`listwise` asks a chat model, `features` has what the fusion left out. `choosing` takes the first
of them that is there. Whatever goes wrong or takes too long, the fused order stands.
"""

from knowledge.retrieval.reranking.choosing import name_of, put_in_order
from knowledge.retrieval.reranking.types import Asked, Reranked, Trouble

__all__ = ["Asked", "Reranked", "Trouble", "name_of", "put_in_order"]
