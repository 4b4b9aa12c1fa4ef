from datetime import timedelta

import orjson
import pytest

from security.ids import earlier, new_id
from security.text import storable, storable_json


def test_a_bound_lies_before_ids_by_the_time_given():
    made = new_id()
    bound = earlier(made, timedelta(days=1))
    assert (made.int >> 80) - (bound.int >> 80) == 86_400_000
    assert bound < made < new_id()
    assert earlier(made, timedelta(days=40_000)).int == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [("", ""), ("a\0b", "ab"), ("bad \udcff", "bad "), ("\ud800", ""), ("中文 🙂", "中文 🙂")],
)
def test_text_is_cleaned_of_what_cannot_be_stored(text, kept):
    assert storable(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "ab"),
        ("\\u0000", "\\u0000"),
        ("\\\0", "\\"),
        ("\\\\u0000\0", "\\\\u0000"),
        ("\0\0x\0", "x"),
        ("中\\u0000\0", "中\\u0000"),
    ],
)
def test_json_loses_the_character_and_not_the_words_about_it(text, kept):
    told = storable_json(orjson.dumps({"said": text}).decode())
    assert orjson.loads(told) == {"said": kept}
