"""The measures against their formulas, and the bootstrap against what is known of it."""

from math import log2
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.quality.comparing import compare, paired_bootstrap
from knowledge.quality.judging import Given, Judged, Wanted, figures_of, judge, judge_nothing, meets
from knowledge.quality.wording import key_of

HERE, THERE = uuid4(), uuid4()
QUOTE = "Hotels cost at most 120 euros"


def given_(text="", document=HERE, start=0):
    return Given(document, text, start, start + len(text))


@pytest.mark.parametrize(
    ("wish", "passage", "is_met"),
    [
        (Wanted(HERE), given_("anything"), True),
        (Wanted(THERE), given_("anything"), False),
        (Wanted(HERE, QUOTE), given_(f"Trains. {QUOTE} a night."), True),
        (Wanted(HERE, QUOTE), given_("Hotels\ncost  at most 120\teuros a night"), True),
        (Wanted(HERE, QUOTE), given_("Hotels cost at"), True),  # it was split there
        (Wanted(HERE, QUOTE), given_("Hotels"), False),
        (Wanted(HERE, "x" * 40, 100, 140), given_("y" * 30, start=115), True),
        (Wanted(HERE, "x" * 40, 100, 140), given_("y" * 30, start=125), False),
        (Wanted(HERE, "x" * 40), given_("y" * 60), False),
        (Wanted(HERE, "三十天內提交"), given_("差旅費用須在三十天\n內提交。"), True),
    ],
)
def test_what_meets_a_wish(wish, passage, is_met):
    assert meets(wish, passage) is is_met


def test_rank_and_ndcg_by_their_formulas():
    wanted = [Wanted(HERE, "first words"), Wanted(THERE)]
    found = [
        given_("no"),
        given_("the first words"),
        given_("first words again"),
        given_("", THERE),
    ]
    judged = judge(wanted, found)
    assert judged.rank == 2
    assert judged.ndcg == pytest.approx((1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3)))
    assert judge(wanted, []) == Judged(None, 0.0)
    assert judge([Wanted(HERE)], [given_("x", THERE)] * 10 + [given_("late")]).rank is None
    both = judge([Wanted(HERE, "one two"), Wanted(HERE, "two three")], [given_("one two three")])
    assert both == Judged(1, 1.0)


def test_figures_of_a_run():
    run = [Judged(1, 1.0), Judged(7, 0.3, supported=0.5), Judged(None, 0.0), judge_nothing([])]
    run.append(judge_nothing([given_("x")]))
    figures = figures_of(run, [3.0, 1.0, 2.0])
    assert (figures.questions, figures.expecting, figures.nothing) == (5, 3, 2)
    assert (figures.hit_1, figures.hit_5, figures.hit_10) == pytest.approx(
        (1 / 3, 1 / 3, 2 / 3), 1e-4
    )
    assert figures.mrr == pytest.approx((1 + 1 / 7) / 3, 1e-4)
    assert (figures.quiet, figures.supported, figures.p50_ms) == (0.5, 0.5, 2.0)
    assert figures_of([]).ndcg is None


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
def test_the_interval_is_the_same_every_time_and_around_the_mean(differences):
    change = paired_bootstrap(differences)
    assert change == paired_bootstrap(differences)
    assert change.low - 1e-6 <= change.delta <= change.high + 1e-6
    assert min(differences) - 1e-6 <= change.low <= change.high <= max(differences) + 1e-6


def test_the_interval_is_as_wide_as_it_should_be():
    """Of normal differences that is ±1.96 standard errors (Efron & Tibshirani 1993)."""
    values = np.random.default_rng(7).normal(0.02, 0.3, 400)
    change = paired_bootstrap(list(values))
    error = values.std() / 20
    assert change.high - change.delta == pytest.approx(1.96 * error, rel=0.1)
    assert change.delta - change.low == pytest.approx(1.96 * error, rel=0.1)


def test_noise_is_no_loss_and_a_loss_is_none_of_it():
    mixed = [0.5, -0.5] * 10 + [0.0] * 10
    assert not paired_bootstrap(mixed).loses
    assert not paired_bootstrap([0.0] * 30).loses
    assert paired_bootstrap([-1.0] * 8 + [0.0] * 22).loses
    assert not paired_bootstrap([-1.0] + [0.0] * 29).loses
    assert paired_bootstrap([0.4] * 12).gains
    before = {n: Judged(1, 1.0) for n in range(12)} | {99: Judged(is_quiet=True)}
    after = {n: Judged(None, 0.0) for n in range(12)}
    changes = compare(before, after)
    assert set(changes) == {"ndcg"}  # nothing was asked twice that must find nothing
    assert changes["ndcg"].loses
    assert changes["ndcg"].n == 12


def test_the_same_question_has_one_key():
    same = [
        "Trains or planes?",
        "  trains  OR planes ",
        "ＴＲＡＩＮＳ or planes！",
        "«Trains or planes»",
    ]
    assert len({key_of(one) for one in same}) == 1
    assert key_of("Trains or plane") != key_of(same[0])
