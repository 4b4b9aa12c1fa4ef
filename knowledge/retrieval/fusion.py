"""How much the dense leg counts, by the script of the question and by the embedder."""

from dataclasses import dataclass

from knowledge.analyzer import is_cjk


@dataclass(frozen=True, slots=True)
class Weights:
    """The share of the dense leg for a question in Latin script and for a Chinese one."""

    latin: float
    cjk: float


# Measured on labelled questions (docs/adr/0002). A weight belongs to an embedder: measure a new one
# before its numbers are put here.
MEASURED = {"all-MiniLM-L6-v2": Weights(latin=0.5, cjk=0.0)}
# An English-only embedder places Chinese at random: rank fusion with it fell from 0.957 to 0.571.
ENGLISH_ONLY = Weights(latin=0.5, cjk=0.0)
MULTILINGUAL = Weights(latin=0.5, cjk=0.5)


def choose_alpha(question: str, embedder: str, *, is_multilingual: bool) -> float:
    """The dense leg's weight between 0 and 1; at 0 the question need not be embedded at all."""
    weights = MEASURED.get(embedder, MULTILINGUAL if is_multilingual else ENGLISH_ONLY)
    return weights.cjk if is_cjk(question) else weights.latin
