"""Numbers whose source a reader cannot open: told as such, without a word of the source."""

import pytest

from chat.gone import gone_numbers

GIVEN = [{"kind": "retrieval_completed", "data": {"passages": [{"n": 1}, {"n": 3}]}}]


@pytest.mark.parametrize(
    ("text", "steps", "cited", "expected"),
    [
        ("Four weeks [1].", GIVEN, [1], []),
        ("Four weeks [1][2], five days [4].", GIVEN, [1], [2, 4]),
        ("Found but not cited [3].", GIVEN, [], []),
        ("In code `a[2]` it is no citation.", GIVEN, [1], []),
        ("Brackets [2] of a talk from elsewhere.", [], [], []),
        ("All gone [2].", [{"kind": "retrieval_completed", "data": {}}], [], [2]),
    ],
)
def test_what_is_left_of_a_source_is_its_number(text, steps, cited, expected):
    assert gone_numbers(text, steps, cited) == expected
