from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.citations import CitationGate, Claim, claimed_sentence

GIVEN = {1, 2, 3}

MARKS = [
    ("It holds. [1]", "It holds. [1]"),
    ("It holds [1].", "It holds [1]."),
    ("它成立【1】。", "它成立[1]。"),
    ("它成立［２］。", "它成立[2]。"),
    ("Both [1][2].", "Both [1][2]."),
    ("Both [1, 2].", "Both [1][2]."),
    ("两者[1，3]。", "两者[1][3]。"),
    ("All [1-3].", "All [1][2][3]."),
    ("Twice [2,2].", "Twice [2]."),
    ("Foot[^3].", "Foot[3]."),
    ("Source【1†source】.", "Source[1]."),
    ("Unknown [9].", "Unknown."),
    ("Half [1, 9].", "Half [1]."),
    ("None [0] and [999] here.", "None and here."),
    ("A [link](https://example.org) stays.", "A [link](https://example.org) stays."),
    ("- [ ] to do", "- [ ] to do"),
    ("- [x] done", "- [x] done"),
    ("Code `a[9]` stays, [9] goes.", "Code `a[9]` stays, goes."),
    ("```py\na[9] = b[1]\n``` then [9]", "```py\na[9] = b[1]\n``` then"),
    ("``a ` b[9]`` end", "``a ` b[9]`` end"),
    ("Stray ` tick\nthen [1] and [9].", "Stray ` tick\nthen [1] and."),
    ("Year [2024] stays.", "Year [2024] stays."),
    ("Cut [1", "Cut [1"),
    ("Cut [", "Cut ["),
    ("Trailing ", "Trailing "),
    ("[[1]]", "[[1]]"),
]


def passed(text, cuts=()):
    gate = CitationGate(GIVEN)
    edges = [0, *sorted(cuts), len(text)]
    shown = [gate.feed(text[a:b]) for a, b in pairwise(edges)]
    out = "".join([*shown, gate.close()])
    assert gate.text == out
    return out, gate.take_claims()


@pytest.mark.parametrize(("text", "expected"), MARKS)
def test_marks_are_normalised_and_only_unknown_numbers_go(text, expected):
    assert passed(text)[0] == expected


@pytest.mark.parametrize(("text", "expected"), MARKS)
def test_the_same_at_every_split(text, expected):
    whole = passed(text)
    for cut in range(len(text) + 1):
        assert passed(text, [cut]) == whole
    assert passed(text, range(1, len(text))) == whole


@given(
    st.text(alphabet="ab. [](【】［］`\n1239,，-^†x", max_size=60),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_any_text_gives_the_same_however_it_arrives(text, cuts):
    assert passed(text, [min(cut, len(text)) for cut in cuts]) == passed(text)


@given(st.text(alphabet="ab. \n你好。", max_size=80))
def test_text_without_brackets_or_code_is_untouched(text):
    assert passed(text) == (text, [])


def test_text_is_not_held_back_longer_than_a_mark_may_be():
    gate = CitationGate(GIVEN)
    assert gate.feed("See [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2") != ""
    assert gate.feed("plain words") == "plain words"


def test_claims_carry_the_sentence_that_was_cited():
    text = "The lease is short. It lasts 30 seconds [1][2]. 运行器持有租约。[3]"
    assert passed(text)[1] == [
        Claim(1, "It lasts 30 seconds", 39),
        Claim(2, "It lasts 30 seconds", 43),
        Claim(3, "运行器持有租约。", 56),
    ]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("One. Two", "Two"),
        ("Intro:\n\n> Quoted words. ", "Quoted words."),
        ("- **Bold** item", "Bold** item"),
        ("", ""),
    ],
)
def test_claimed_sentence(said, sentence):
    assert claimed_sentence(said) == sentence
