"""What is shown of a stream is what would be shown of the whole text, wherever it is cut."""

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.guardrails.checks import spans_of
from agents.guardrails.rules import ADAPTER
from agents.guardrails.types import Span
from agents.guardrails.vault import Opener, Vault, masked, put
from agents.guardrails.window import CONTEXT, WIDTHS, SpanWindow
from tests.agents.guardrails.rules_of import rule

PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBg\n" * 60 + "-----END PRIVATE KEY-----"
JWT = ".".join(
    base64.urlsafe_b64encode(part).rstrip(b"=").decode()
    for part in (b'{"typ":"JWT","alg":"RS256"}', b'{"sub":"' + b"k7" * 90 + b'"}', b"\xa7" * 240)
)
TEXTS = {
    "a mail": "Write to alice@example.org, please, or call +49 30 1234567.",
    "chinese": "请联系alice@example.org，或拨打13812345678。" * 3,
    "a long key": f"This is it:\n{PEM}\nKeep it.",
    "cards": "4111 1111 1111 1111 and 5500-0000-0000-0004 " * 12,
    "nothing": "The ferry leaves at noon. " * 40,
    "a token": "Use ghp_" + "a1B2c3D4e5" * 4 + " for it" + "." * 400,
    "a password": "Some words. " * 25 + "My password is: hunter2!x9, keep it." + " And more." * 40,
    "in an address": "At " + "postgres://clerk:s3cretpw@db.example.org/x is it. " * 9,
    "a jwt": f"Take {JWT} with you." + " And more." * 40,
    "two at once": "Ask ferry-leaves.alice@example.org about the ferry  leaves-x@example.org. " * 3,
    "a person in a link": "Go to https://example.org:"
    + "a" * 300
    + "@evil.com/x now. "
    + "So. " * 99,
    "a long host": "https://" + "a." * 150 + "example.org.evil.com/x, yes. " + "So it is. " * 40,
    "a link": "See https://evil.example.com/" + "a" * 150 + " and example.org/x.",
}
RULES = [
    rule("personal_data"),
    rule("secrets"),
    rule("regex", pattern=r"ferry\s+leaves"),
    rule("domains", allowed=["example.org"]),
]


def whole(text, rules):
    """By the same detectors, over the text as it is."""
    window = SpanWindow(rules)
    window._raw = text
    return window.close().text


def streamed(text, rules, cuts):
    window, shown = SpanWindow(rules), []
    for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True):
        shown.append(window.feed(text[a:b]).text)
    return [*shown, window.close().text]


@pytest.mark.parametrize("name", TEXTS)
def test_cut_anywhere_once(name):
    text = TEXTS[name]
    expected = whole(text, RULES)
    for cut in range(len(text) + 1):
        assert "".join(streamed(text, RULES, [cut])) == expected


@pytest.mark.parametrize("name", TEXTS)
def test_sign_by_sign(name):
    text = TEXTS[name]
    assert "".join(streamed(text, RULES, range(1, len(text)))) == whole(text, RULES)


@pytest.mark.parametrize(
    "name",
    [
        "a mail",
        "chinese",
        "a long key",
        "cards",
        "a token",
        "a password",
        "in an address",
        "a jwt",
        "two at once",
        "a person in a link",
        "a long host",
    ],
)
def test_nothing_of_what_is_masked_is_ever_shown(name):
    text = TEXTS[name]
    hidden = [text[s.start : s.end] for one in RULES for s in spans_of(text, one)]
    assert hidden
    shown = "".join(streamed(text, RULES, range(1, len(text))))
    assert not [value for value in hidden if value in shown]


@pytest.mark.parametrize("name", ["a jwt", "a person in a link", "a long host"])
def test_what_only_its_end_tells_is_waited_for(name):
    """Nothing of it is shown, wherever the stream stops to wait."""
    for cut in range(len(TEXTS[name])):
        window = SpanWindow([rule("secrets"), rule("domains", allowed=["example.org"])])
        shown = window.feed(TEXTS[name][:cut]).text
        assert not any(part in shown for part in ("eyJ", "aaa", "a.a.", "https:"))


def test_a_jwt_has_its_600_characters():
    assert len(JWT) > 600


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_many_cuts_of_mixed_texts(data):
    parts = data.draw(st.lists(st.sampled_from(sorted(TEXTS.values())), min_size=1, max_size=4))
    text = data.draw(st.sampled_from(["", " ", "\n"])).join(parts)
    seed = data.draw(st.integers(0, 2**16))
    cuts = sorted(random.Random(seed).choices(range(len(text)), k=30))
    assert "".join(streamed(text, RULES, cuts)) == whole(text, RULES)


def test_a_block_ends_before_what_it_blocks():
    rules = [rule("secrets", action="block")]
    text = "Before it. ghp_" + "a1B2c3D4e5" * 4 + " after" + " and on" * 100
    for cut in range(0, len(text), 7):
        window = SpanWindow(rules)
        shown = ""
        for piece in (text[:cut], text[cut:]):
            passed = window.feed(piece)
            shown += passed.text
            if passed.blocked:
                break
        else:
            passed = window.close()
            shown += passed.text
        assert shown == "Before it. "
        assert passed.blocked is rules[0]


def test_what_is_held_back_is_bounded():
    window = SpanWindow([rule("secrets")])
    held = most = 0
    for _ in range(3000):
        held += 10
        held -= len(window.feed("word some ").text)
        most = max(most, held)
    assert most <= max(WIDTHS.values()) + 100
    assert len(window._raw) <= most + CONTEXT + 10


def test_length_alone_holds_nothing_back():
    window = SpanWindow([rule("length", action="block", most=10)])
    assert [window.feed("abcd").text, window.feed("efgh").text] == ["abcd", "efgh"]
    passed = window.feed("ijkl")
    assert (passed.text, passed.blocked) == ("ij", window.rules[0])


# -- Placeholders ----------------------------------------------------------------------------------


def hidden(text):
    vault = Vault("a run")
    return vault, vault.hide(text, spans_of(text, rule("personal_data")))


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            ["bob@example.org", "13812345678", "[", "]", "[EMAIL_", " ", "[1]", "a[0]", "。", "_"]
        ),
        max_size=12,
    ).map("".join),
    cuts=st.lists(st.integers(0, 400), max_size=20),
)
def test_placeholders_are_opened_however_they_are_cut(text, cuts):
    vault, told = hidden(text)
    opener, shown = Opener(vault), ""
    places = sorted({min(cut, len(told)) for cut in cuts})
    for a, b in zip([0, *places], [*places, len(told)], strict=True):
        shown += opener.feed(told[a:b])
    assert shown + opener.close() == text


def test_every_single_cut_of_a_placeholder():
    text = "Write to bob@example.org [1], not to [carol]."
    vault, told = hidden(text)
    assert "bob@example.org" not in told
    for cut in range(len(told) + 1):
        opener = Opener(vault)
        assert opener.feed(told[:cut]) + opener.feed(told[cut:]) + opener.close() == text


def test_the_same_thing_has_the_same_placeholder_in_a_run_and_another_elsewhere():
    span = [Span(0, 15, "email")]
    one, same, other = Vault("a"), Vault("a"), Vault("b")
    assert one.hide("bob@example.org", span) == same.hide("bob@example.org", span)
    assert one.hide("bob@example.org", span) != other.hide("bob@example.org", span)


def test_what_was_never_hidden_is_never_opened():
    vault, _told = hidden("bob@example.org")
    assert vault.open("[EMAIL_AAAAAA] [EMAIL_1]") == "[EMAIL_AAAAAA] [EMAIL_1]"


def test_masks_for_good():
    assert put("a bob@example.org b", [(Span(2, 17, "email"), masked(Span(2, 17, "email")))]) == (
        "a [EMAIL] b"
    )


def test_stored_rules_are_read_again():
    for one in RULES:
        assert ADAPTER.validate_python(one.model_dump(mode="json")) == one
