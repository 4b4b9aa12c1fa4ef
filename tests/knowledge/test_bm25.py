"""`knowledge.bm25`: the two halves together are BM25, and a stranger's passage changes neither."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.analyzer import TERM_SPACE
from knowledge.bm25 import (
    K1,
    B,
    Shape,
    TermCounts,
    count_terms,
    from_sparsevec,
    has_drifted,
    idf,
    rare_terms,
    to_sparsevec,
    weigh,
    weigh_again,
    weigh_query,
)

counts = st.dictionaries(st.integers(0, TERM_SPACE - 1), st.integers(1, 50), max_size=30)
averages = st.floats(1, 500)


@given(counts, averages)
def test_weights_are_the_formula(found: dict[int, int], average: float) -> None:
    length = sum(found.values())
    weights = weigh(TermCounts(found, length), average)
    for term, tf in found.items():
        expected = tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / average))
        assert weights[term] == pytest.approx(expected)
        assert 0 < weights[term] < K1 + 1


@given(counts, averages, averages)
def test_weighing_again_needs_no_text(found: dict[int, int], old: float, new: float) -> None:
    terms = TermCounts(found, sum(found.values()))
    stored = from_sparsevec(to_sparsevec(weigh(terms, old)))
    assert weigh_again(stored, terms.length, old, new) == pytest.approx(weigh(terms, new))


@given(st.integers(1, 10**7), st.data())
def test_a_rarer_term_counts_more(n: int, data: st.DataObject) -> None:
    df = data.draw(st.integers(1, n))
    assert idf(n, df) > 0
    assert idf(n, df) >= idf(n, min(n, df + 1))
    assert idf(n, df) == pytest.approx(log(1 + (n - df + 0.5) / (df + 0.5)))


@given(
    st.dictionaries(st.integers(0, 10**6), st.integers(1, 10**5), min_size=1), st.integers(0, 10**5)
)
def test_candidates_come_from_the_rarest_terms(found: dict[int, int], limit: int) -> None:
    chosen = rare_terms(found, limit)
    assert chosen
    assert len(chosen) == 1 or sum(found[term] for term in chosen) <= 2 * limit
    assert sum(found[term] for term in chosen[:-1]) <= limit
    others = [df for term, df in found.items() if term not in chosen]
    assert all(max(found[term] for term in chosen) <= df for df in others)


def test_a_term_of_nearly_all_passages_counts_where_the_others_bring_too_few() -> None:
    assert rare_terms({1: 40, 2: 30, 3: 90_000}, 100, least=100) == [2, 1, 3]
    assert rare_terms({1: 40, 2: 60, 3: 90_000}, 100, least=100) == [1, 2]
    assert rare_terms({3: 90_000}, 100, least=100) == [3]


def test_terms_nobody_has_are_left_out_of_the_question() -> None:
    assert weigh_query({1: 2, 5: 1}, {1: 3}, 10) == {1: pytest.approx(2 * idf(10, 3))}


def test_sparsevec_text() -> None:
    assert to_sparsevec({7: 0.5, 2: 1.25}) == f"{{3:1.25,8:0.5}}/{TERM_SPACE}"
    assert to_sparsevec({}) == f"{{}}/{TERM_SPACE}"
    assert from_sparsevec(to_sparsevec({})) == {}


def test_counts_hold_repeats() -> None:
    found = count_terms("leave, leaving; 年假")
    assert found.length == 5
    assert sorted(found.counts.values()) == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("n", "total", "frozen", "expected"),
    [(10, 1000, 100.0, False), (10, 1210, 100.0, True), (10, 790, 100.0, True), (0, 0, 9.0, False)],
)
def test_drift(n: int, total: int, frozen: float, expected: bool) -> None:
    assert has_drifted(n, total, frozen) is expected


@given(counts, st.floats(0.2, 3), st.floats(0, 1))
def test_another_shape_is_the_same_as_weighed_in_it_from_the_start(found, k1, b):
    terms, other = TermCounts(found, sum(found.values())), Shape(k1, b)
    stored = from_sparsevec(to_sparsevec(weigh(terms, 40.0)))
    again = weigh_again(stored, terms.length, 40.0, 50.0, becomes=other)
    assert again == pytest.approx(weigh(terms, 50.0, other))
