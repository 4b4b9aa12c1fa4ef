"""Sentences in other words and their passages, with the embedded embedder itself."""

import asyncio
from itertools import product

import pytest

from agents.aligning.meaning import Meanings, Open
from agents.aligning.spans import SAID, Prepared, align
from agents.citations import Claim
from agents.evidence import Evidence
from tests.agents.test_proof import holds, packed

PASSAGES = [
    "员工应当提前四周以书面形式提出休假申请。负责人须在五个工作日内答复。",
    "图书馆每周一闭馆整理图书。读者可在网上续借两次。",
    "会议室由行政部门统一管理。使用者离开前应关闭投影仪和空调。",
    "新设备到货以后由技术部负责验收。验收合格才能付款。",
    "Requests for leave are handed in four weeks ahead, in writing.",
]
# What each says in other words, and the sentence of its passage.
SAID_OTHERWISE = {
    0: ("想休假的员工要在四周之前写好书面申请。", "员工应当提前四周以书面形式提出休假申请。"),
    1: ("图书馆每逢周一关门来整理书。", "图书馆每周一闭馆整理图书。"),
    3: ("只有验收合格了才可以付钱。", "验收合格才能付款。"),
}


def aligned(sentence: str, *passages: str):
    return Meanings().align([Open(sentence, tuple(map(Prepared, passages)))])[0]


@pytest.mark.parametrize("own", sorted(SAID_OTHERWISE))
def test_chinese_in_other_words_is_found_where_wording_alone_is_too_little(own: int) -> None:
    claim, sentence = SAID_OTHERWISE[own]
    worded = align(claim, Prepared(PASSAGES[own]))
    assert worded.score < SAID
    n, span = aligned(claim, *PASSAGES)
    assert (n, span.method) == (own, "meaning")
    assert PASSAGES[own][span.start : span.end] == sentence


@pytest.mark.parametrize(
    ("own", "other"),
    [pair for pair in product(sorted(SAID_OTHERWISE), range(5)) if len({*pair}) > 1],
)
def test_no_support_is_proposed_by_a_shuffled_passage(own: int, other: int) -> None:
    assert aligned(SAID_OTHERWISE[own][0], PASSAGES[other]) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        "想休假的员工要在19周之前写好书面申请。",
        "想休假的员工不要在四周之前写好书面申请。",
        "只有验收不合格了才可以付钱。",
    ],
)
def test_another_number_and_the_contrary_are_not_what_it_says(spoilt: str) -> None:
    assert aligned(spoilt, *PASSAGES) is None


def test_languages_are_not_compared_with_one_another() -> None:
    assert aligned("想休假的员工要在四周之前写好书面申请。", PASSAGES[4]) is None
    assert aligned("Whoever wants leave asks for it four weeks before.", *PASSAGES[:4]) is None


def test_an_answer_in_chinese_is_cited_and_supported_by_meaning() -> None:
    async def run(answer: str, *texts: str):
        evidence = Evidence(packed(*texts), holds)
        found = await evidence.for_claims([Claim(1, answer.removesuffix(" [1]"))])
        return found, await evidence.support(answer)

    claim, sentence = SAID_OTHERWISE[0]
    (citation,), support = asyncio.run(run(f"{claim} [1]", PASSAGES[0]))
    assert (citation.method, citation.quote) == ("meaning", sentence)
    assert (support.claims, support.unsupported) == (1, ())
    _found, support = asyncio.run(run(f"{claim} [1]", PASSAGES[1]))
    assert support.unsupported != ()
