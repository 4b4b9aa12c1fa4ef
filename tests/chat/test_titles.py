import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.turns.titles import LENGTH, title_from


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("  Why\n is   it? ", "Why is it?"),
        (
            "What does the travel policy say about trains between Munich and Berlin?",
            "What does the travel policy say about trains between Munich…",
        ),
        ("火" * 80, "火" * 59 + "…"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_title(question, title):
    assert title_from(question) == title


@given(st.text(min_size=1))
def test_a_title_is_one_short_line(question):
    title = title_from(question)
    assert len(title) <= LENGTH
    assert "\n" not in title
