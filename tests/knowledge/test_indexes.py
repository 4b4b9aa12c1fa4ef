"""`knowledge.embeddings.indexes`: what is reckoned before a graph is built."""

import pytest

from knowledge.embeddings.indexes import node_bytes
from knowledge.models import EmbeddingVersion


@pytest.mark.parametrize(("storage", "width"), [("float", 4), ("half", 2), ("binary", 1 / 8)])
def test_the_memory_of_a_node_holds_all_its_neighbours(storage: str, width: float) -> None:
    """Reckoned too small, the last nodes are put into the file one by one. The figure is that of a
    million vectors of 384 halves: 1,178 MB were full after 835,000."""
    version = EmbeddingVersion(model="any", dimensions=384, storage=storage)
    beside = 1_178 * 2**20 / 835_000 - 384 * 2
    assert node_bytes(version) >= 384 * width + beside
