"""`gateway.embedding.local`: unit vectors that mean something, in the order asked for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.embedding.local import (
    BATCH_PIECES,
    BATCH_SIZE,
    LocalEmbedder,
    count_pieces,
    piece_starts,
    plan_batches,
)

TEXTS = [
    "How do I reset my password?",
    "To change a forgotten password, open the sign-in page and follow the link.",
    "The coffee machine has to be descaled every two months.",
    "PostgreSQL is a relational database.",
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> LocalEmbedder:
    return LocalEmbedder(tmp_path_factory.mktemp("models"))


def test_rows_are_unit_vectors(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed([*TEXTS, "", "中文"])
    assert vectors.shape == (6, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-4)


def test_likeness_follows_meaning(embedder: LocalEmbedder) -> None:
    question, *answers = embedder.embed(TEXTS)
    likeness = [float(question @ answer) for answer in answers]
    assert likeness[0] > 0.5
    assert max(likeness[1:]) < 0.3


def test_batching_changes_neither_order_nor_meaning(embedder: LocalEmbedder) -> None:
    texts = [f"{text} {'filler words ' * n}" for n in range(6) for text in TEXTS]
    together = embedder.embed(texts)
    alone = np.vstack([embedder.embed([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.98


def test_a_text_of_any_length_is_cut_to_the_model(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed(["word " * 100_000, "word " * 1_000])
    assert float(vectors[0] @ vectors[1]) > 0.999


def test_no_text_gives_no_row(embedder: LocalEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_many_threads_may_use_one_embedder(embedder: LocalEmbedder) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: embedder.embed(TEXTS), range(16)))
    assert all(np.allclose(found[0], other, atol=1e-5) for other in found)


def test_nothing_is_loaded_before_the_first_use(tmp_path: Path) -> None:
    LocalEmbedder(tmp_path / "models")
    assert not (tmp_path / "models").exists()


@given(st.lists(st.integers(2, 256), max_size=60))
def test_batches_are_a_partition_within_bounds(lengths: list[int]) -> None:
    batches = list(plan_batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= BATCH_SIZE
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= BATCH_PIECES


def test_pieces_are_counted_with_the_models_own_tokenizer() -> None:
    assert count_pieces("Hello world") == 2
    assert count_pieces("战国无双") == 4
    assert piece_starts("Hello 世界") == [0, 6, 7]
