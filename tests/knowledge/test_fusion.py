"""`knowledge.retrieval.fusion`: the weight of the dense leg by script and embedder."""

import pytest

from knowledge.retrieval.fusion import choose_alpha

LOCAL = "all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("question", "embedder", "is_multilingual", "alpha"),
    [
        ("How many days of leave?", LOCAL, False, 0.5),
        ("年假有几天？", LOCAL, False, 0.0),
        ("Postgres 怎么备份到另一台机器？", LOCAL, False, 0.0),
        ("What does 年假 mean in the leave policy of the company?", LOCAL, False, 0.5),
        ("年假有几天？", "bge-m3", True, 0.5),
        ("年假有几天？", "bge-small-en", False, 0.0),
    ],
)
def test_alpha(question: str, embedder: str, is_multilingual: bool, alpha: float) -> None:
    assert choose_alpha(question, embedder, is_multilingual=is_multilingual) == alpha
