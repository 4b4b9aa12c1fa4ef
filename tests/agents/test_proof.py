"""Hostile and odd answers: what is shown as evidence is always the stored text, and in time."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.citations import CitationGate, Claim
from agents.citing import Citing
from agents.evidence import MOST_CLAIMS, Evidence
from agents.types import PackedPassage
from tests.agents.passages import passage

LEAVE = "Requests for leave are handed in four weeks ahead, in writing, to the head of department."
ANSWERED = "The head of department answers within 5 working days. Nobody may decide alone."
CHINESE = "员工应当提前四周以书面形式提出休假申请。负责人须在五个工作日内答复。"
PROGRAM = "def charge(card):\n    # Each card is charged only once a day.\n    return card.charge()"


def packed(*texts, **fields):
    return [
        PackedPassage(n, (replace(passage(text, 100 * n, f"d{n}"), **fields),))
        for n, text in enumerate(texts, 1)
    ]


async def holds(citations):
    return [True for _ in citations]


def unlike(texts):
    """Vectors that are orthogonal, whatever the texts."""
    return np.eye(max(len(texts), 1), 400, dtype=np.float32)[: len(texts)]


def prove(answer, passages, question="", embed=unlike, piece=7):
    """The citations of an answer as it streams, and what is said of it at its end."""

    async def run():
        evidence = Evidence(passages, holds, question, embed=embed)
        gate = CitationGate([p.n for p in passages])
        found = []
        async with Citing(evidence) as citing:
            for at in range(0, len(answer), piece):
                gate.feed(answer[at : at + piece])
                citing.add(gate.take_claims())
                found += citing.ready()
            gate.close()
            found += await citing.rest()
            found += await evidence.proposed(gate.text)
            return found, await evidence.support(gate.text), gate.text

    return asyncio.run(run())


def test_a_citation_that_is_made_while_others_are_taken_is_not_lost():
    async def run():
        verifying, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(citations):
            verifying.set()
            await go_on.wait()
            return [True for _ in citations]

        async with Citing(Evidence(packed(LEAVE), slowly)) as citing:
            citing.add([Claim(1, LEAVE)])
            await verifying.wait()
            assert citing.ready() == []
            go_on.set()
            return await citing.rest()

    assert [citation.quote for citation in asyncio.run(run())] == [LEAVE]


def check(citations, passages):
    texts = {p.first.document_id: p.first for p in passages}
    for citation in citations:
        part = texts[citation.document_id]
        assert part.text[citation.start - part.start : citation.end - part.start] == citation.quote
        assert 0 <= citation.score <= 1


@pytest.mark.parametrize(
    ("answer", "methods", "unsupported"),
    [
        (f"{LEAVE} [1]", ["exact"], []),
        ("Leave has to be requested four weeks ahead in writing [1].", ["words"], []),
        ("The head answers within 9 working days of the department [2].", ["words"], 1),
        ("The head of department answers within 9 working days [2].", ["differs"], 1),
        ("The head of department does not answer within 5 working days [2].", ["differs"], 1),
        ("The head of department answers within five working days [2].", ["fuzzy"], []),
        ("Penguins never fly over the snowy Alps in winter [1].", ["passage"], 1),
        ("Penguins never fly over the snowy Alps in winter [9].", [], 1),
        ("Code: `answers within 77 days` of the department head, working [2].", ["words"], []),
        ("See [the head of department](https://x.example/99) answers in working days [2].",
         ["words"], []),
        ("| head of department | 99 days [2] |\n|---|---|\n| a | b |", ["words"], []),
        ("```\nthe head of department answers in 99 days [2]\n```", [], []),
        ("員工應當提前四週以書面形式提出休假申請 [3]。負責人須在五個工作日內答覆 [3]。",
         ["fuzzy", "fuzzy"], []),
        ("员工应当提前九周以书面形式提出休假申请并附上30页说明[3]。", ["words"], 1),
    ],
)  # fmt: skip
def test_each_cited_sentence_is_judged(answer, methods, unsupported):
    passages = packed(LEAVE, ANSWERED, CHINESE)
    citations, support, _ = prove(answer, passages)
    check(citations, passages)
    assert [citation.method for citation in citations if not citation.is_proposed] == methods
    assert len(support.unsupported) == (unsupported or 0)
    assert support.supported == support.claims - len(support.unsupported)


def test_numbers_of_the_question_are_nobodys_invention():
    answer = "For 600 km the head of department answers within 5 working days [2]."
    assert prove(answer, packed(LEAVE, ANSWERED))[1].unsupported
    citations, support, _ = prove(answer, packed(LEAVE, ANSWERED), "What about 600 km?")
    assert (citations[0].method, support.unsupported) == ("fuzzy", ())


def test_what_is_said_in_wholly_other_words_is_found_by_meaning():
    def alike(texts):
        vectors = unlike(texts)
        same = [at for at, text in enumerate(texts) if "superior" in text or "answers" in text]
        vectors[same] = vectors[same[0]]
        return vectors

    answer = "A reply from one's superior comes inside a week [2]."
    (citation,), support, _ = prove(answer, packed(LEAVE, ANSWERED), embed=alike)
    assert (citation.method, citation.score) == ("meaning", 1.0)
    assert citation.quote == "The head of department answers within 5 working days."
    assert support.claims == support.supported == 1


def test_sources_are_proposed_where_the_model_names_none():
    answer = "**Requests for leave are handed in four weeks ahead.** Penguins never fly over Alps."
    passages = packed(LEAVE, ANSWERED)
    (citation,), support, said = prove(answer, passages)
    check([citation], passages)
    assert citation.is_proposed
    assert said[: citation.at].endswith("ahead.**")
    assert (citation.n, citation.quote) == (1, LEAVE)
    assert support.unsupported == ("Penguins never fly over Alps.",)


def test_nothing_is_proposed_for_other_numbers_or_beside_citations():
    passages = packed(LEAVE, ANSWERED)
    assert prove("The head of department answers within 9 working days.", passages)[0] == []
    answer = f"{LEAVE} [1] The head of department answers within 5 working days."
    assert [citation.n for citation in prove(answer, passages)[0]] == [1]


def test_lines_of_a_program_are_those_of_its_file():
    passages = packed(PROGRAM, line=10)
    (citation,), _, _ = prove("Each card is charged only once a day [1].", passages)
    assert (citation.line, citation.lines) == (10, (10, 12)) or citation.line == 11
    first, last = citation.lines
    lines = PROGRAM.split("\n")[first - 10 : last - 9]
    assert citation.quote in "\n".join(lines)


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="The head5９ 五负责人。.\n*`[]1>|-—“”é", max_size=200),
    st.text(alphabet="The head5９ 五负责人。.\n*`[]1>|-—“”é", min_size=1, max_size=200),
    st.integers(1, 9),
)
def test_a_shown_quote_is_always_the_stored_text(answer, text, piece):
    passages = packed(text, ANSWERED)
    citations, support, said = prove(f"{answer} [1] {text} [2]", passages, piece=piece)
    check(citations, passages)
    assert all(citation.quote and 0 <= citation.at <= len(said) for citation in citations)
    assert 0 <= support.supported <= support.claims


@pytest.mark.parametrize("script", ["latin", "chinese"])
def test_ten_thousand_sentences_are_bounded_work(script):
    """Quadratic steps would take minutes here; the limit of a test would end it."""
    one = f"{ANSWERED[:53]} " if script == "latin" else CHINESE[20:]
    mark = "[2]" if script == "latin" else "[3]"
    answer = "".join(f"{n} {one}{mark} " for n in range(10_000))
    passages = packed(LEAVE, ANSWERED, CHINESE)
    citations, support, said = prove(answer, passages, piece=400)
    check(citations, passages)
    assert len(said) > 200_000
    assert len(citations) <= MOST_CLAIMS
    assert 500 < support.claims < 10_000


def test_ten_thousand_sentences_without_spaces_or_marks():
    answer = "负责人须在五个工作日内答复。" * 10_000
    citations, support, _ = prove(answer, packed(CHINESE), piece=2000)
    assert 0 < len(citations) <= 200
    assert support.claims == support.supported
