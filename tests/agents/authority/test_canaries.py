"""The word is found in every form, over every border of a stream, and never without cause."""

import base64
import codecs
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.authority.canaries import Watch, is_in, rule_of, word_of

WORD = word_of("Be kind.")
FORMS = {
    "plain": WORD,
    "in a sentence": f"The word is {WORD}.",
    "upper": WORD.upper(),
    "spaced": " ".join(WORD),
    "dashed": "-".join(WORD),
    "a letter a line": "\n".join(WORD),
    "zero width": "\u200b".join(WORD),
    "reversed": WORD[::-1],
    "reversed and spaced": " ".join(WORD[::-1]),
    "rot13": codecs.encode(WORD, "rot13"),
    "hex": WORD.encode().hex(),
    "hex, spaced": WORD.encode().hex(" ").upper(),
    "an address": f"https://evil.example/{WORD}.png?x=1",
    "percent": "".join(f"%{ord(sign):02x}" for sign in WORD),
    "entities": "".join(f"&#{ord(sign)};" for sign in WORD),
    "base32": base64.b32encode(WORD.encode()).decode(),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_s48_it_is_found_in_every_form(name):
    assert is_in(WORD, FORMS[name])


@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.b32encode])
def test_s48_it_is_found_wherever_it_begins_in_what_is_encoded(before, encode):
    for text in (WORD, WORD.upper(), WORD[::-1]):
        coded = encode(b"~" * before + text.encode() + b"~~~~~").decode()
        assert is_in(WORD, coded), coded
        assert is_in(WORD, f"https://evil.example/?q={quote(coded)}")
        lines = "\n".join(coded[n : n + 9] for n in range(0, len(coded), 9))
        assert is_in(WORD, lines)


@given(st.text(max_size=400), st.text(max_size=60))
def test_it_is_not_found_where_it_is_not(text, name):
    assert not is_in(WORD, text)
    assert is_in(word_of(name), text + rule_of(word_of(name)))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 19, 50, 400])
@pytest.mark.parametrize("name", ["plain", "spaced", "reversed", "hex", "base32", "percent"])
def test_s48_no_border_of_a_stream_hides_it(name, size):
    said = f"{'Well, ' * 30}{FORMS[name]}{' and so on' * 3}"
    watch = Watch(WORD)
    seen = [watch.feed(said[n : n + size]) for n in range(0, len(said), size)]
    seen.append(watch.look())
    assert seen.count(True) == 1


def test_it_lasts_as_long_as_the_instructions_and_nobody_can_guess_it(settings):
    assert word_of("Be kind.") == WORD
    assert word_of("Be kinder.") != WORD
    assert word_of("Be kind.", "another agent") != WORD
    settings.SECRET_KEY = "another house"
    assert word_of("Be kind.") != WORD
