"""Without any model: what the search knows of each passage and the fusion did not use. Pure."""

from collections.abc import Sequence

from knowledge.analyzer import analyze
from knowledge.types import Passage

# The fused score decides; the others put those in order that it holds for equal.
FUSED, ALIKE, NAMED = 0.8, 0.15, 0.05


def score_by_features(question: str, passages: Sequence[Passage]) -> list[float]:
    """By the fused score, by how many of the question's words the passage has, however rare they
    are in the collection, and by those that its title and headings name."""
    wanted = set(analyze(question))
    best = max((passage.score for passage in passages), default=0.0) or 1.0

    def score(passage: Passage) -> float:
        names = set(analyze(" ".join([passage.title, *passage.heading_path])))
        named = len(wanted & names) / max(len(wanted), 1)
        alike = float(passage.ranks.get("alike", 0.0))
        return FUSED * passage.score / best + ALIKE * alike + NAMED * named

    return [score(passage) for passage in passages]
