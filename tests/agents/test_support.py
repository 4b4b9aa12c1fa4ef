"""Sentences without a source: what is marked, and what is left alone."""

import pytest

from agents.support import Sources, check_support

PASSAGES = [
    "Requests for leave are handed in four weeks ahead, in writing, to the head of department.",
    "The head of department answers within five working days.",
]


def find_unsupported(text, passages, **given):
    return list(check_support(text, Sources(dict(enumerate(passages, 1)), **given)).unsupported)


CHINESE = ["员工应当提前四周以书面形式提出休假申请，负责人须在五个工作日内答复。"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Leave is asked for four weeks ahead [1]. Penguins cannot fly over the Alps.",
         ["Penguins cannot fly over the Alps."]),
        ("Leave is asked four weeks ahead. [1] An answer comes soon afterwards. [2]",
         ["An answer comes soon afterwards."]),  # it cites what does not say so
        ("The head of department answers within five working days.", []),  # said, if not cited
        ("Leave: four weeks [1].\n\n```\nPenguins cannot fly over the Alps.\n```\n", []),
        ("# Penguins cannot fly over the Alps\n\nLeave: four weeks [1].", []),
        ("| Penguins cannot fly | over the Alps |\n|---|---|\n", []),
        ("Can penguins ever fly over the Alps? Four weeks [1].", []),
        ("Penguins usually want to know:\n\n- leave: four weeks ahead [1]\n", []),
        ("Yes. Four weeks [1].", []),
        ("- Four weeks ahead [1]\n- Penguins cannot fly over\n  the snowy Alps\n",
         ["Penguins cannot fly over the snowy Alps"]),
        ("Four weeks ahead [1]. 企鹅不会飞越阿尔卑斯山脉。", []),  # a translation of what is cited
        ("Four weeks ahead [1].\n\n企鹅不会飞越阿尔卑斯山脉。", ["企鹅不会飞越阿尔卑斯山脉。"]),
    ],
)  # fmt: skip
def test_only_claims_that_nothing_backs_are_marked(text, expected):
    assert find_unsupported(text, PASSAGES) == expected


def test_chinese_is_judged_by_its_own_words():
    text = "员工应当提前四周提出申请[1]。负责人在五个工作日内答复。企鹅不会飞越阿尔卑斯山脉。"
    assert find_unsupported(text, CHINESE) == ["企鹅不会飞越阿尔卑斯山脉。"]
