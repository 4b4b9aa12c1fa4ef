"""Which words of a passage a sentence stands on, and how that was found out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.aligning.details import is_denied, numbers_given, numbers_told
from agents.aligning.folding import fold
from agents.aligning.sentences import read_sentences
from agents.aligning.spans import Prepared, align

PASSAGE = (
    "Runners claim turns.\nEach lease lasts thirty seconds\nand is renewed every ten. "
    "租约由数据库时间决定。A fence is incremented."
)


@pytest.mark.parametrize(
    ("sentence", "method", "quote"),
    [
        ("Each lease lasts thirty seconds and is renewed every ten.", "exact",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("“A fence is incremented.”", "exact", "A fence is incremented."),
        ("A fence", "exact", "A fence is incremented."),
        ("claim turns.\nEach lease", "exact", PASSAGE[:78]),
        ("EACH LEASE — lasts thirty seconds; and is renewed every ten", "fuzzy",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("Each lease lasts 30 seconds and is renewed every ten.", "fuzzy",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("租約由數據庫時間決定", "fuzzy", "租约由数据库时间决定。"),
        ("Each lease lasts ninety seconds and is renewed every ten.", "differs",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("Each lease lasts thirty seconds and is not renewed every ten.", "differs",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("Leases are valid for thirty seconds.", "words",
         "Each lease lasts thirty seconds\nand is renewed every ten."),
        ("数据库的时间决定租约。", "words", "租约由数据库时间决定。"),
        ("Nothing of the kind was written anywhere.", "passage", PASSAGE),
        ("", "passage", PASSAGE),
    ],
)  # fmt: skip
def test_the_quote_is_the_passages_own_words(sentence, method, quote):
    found = align(sentence, Prepared(PASSAGE))
    assert (found.method, PASSAGE[found.start : found.end]) == (method, quote)
    assert 0 <= found.score <= 1


@given(st.text(max_size=80), st.text(max_size=200))
def test_a_span_is_always_inside_the_passage(sentence, passage):
    found = align(sentence, Prepared(passage))
    assert 0 <= found.start <= found.end <= len(passage) or not passage.strip()


@given(st.text(max_size=60), st.integers(0, 30), st.integers(4, 30))
def test_whatever_is_copied_from_a_passage_is_found_word_for_word(text, start, length):
    copied = text[start : start + length]
    found = align(copied, Prepared(text))
    if len("".join(copied.strip("“”\"'「」『』 ").split())) >= 4:
        assert found.method == "exact"
        assert "".join(copied.strip("“”\"'「」『』 ").split()) in "".join(text.split())


@given(st.text(max_size=60))
def test_a_letter_stays_where_it_is(text):
    folded = fold(text)
    assert len(folded.letters) == len(folded.at)
    assert folded.at == sorted(folded.at)
    assert all(0 <= at < len(text) for at in folded.at)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Ｆｕｌｌ　Width, ﬁne", "fullwidthfine"),
        ("Café — naïve", "cafenaive"),
        ("數據庫，軟體", "数据库软体"),
        ("5 % of $3.50", "5%of$350"),
    ],
)
def test_letters_are_comparable(text, letters):
    assert fold(text).letters == letters


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("It costs 1,000.50 since 2026.", {"1000.5", "2026"}),
        ("two of twenty-five", {"25"}),
        ("共三百二十人，十分重要，二〇二六年", {"320", "2026"}),
        ("版本３．１０", {"3.1"}),
        ("item 007", {"7"}),
        ("none", set()),
    ],
)
def test_numbers_that_a_claim_tells(text, told):
    assert numbers_told(text) == told
    assert told <= numbers_given(text)


def test_a_date_is_the_same_in_words():
    assert numbers_told("2026-11-22") <= numbers_given("on 22 November 2026")
    assert numbers_told("12 months") <= numbers_given("twelve months")
    assert numbers_told("30天") <= numbers_given("三十天")


@given(st.text(alphabet="0123456789,.一二三十百千万亿 -", max_size=200))
def test_no_number_is_too_odd(text):
    assert numbers_told(text) <= numbers_given(text)


@pytest.mark.parametrize(
    ("text", "denied"),
    [("It must not.", True), ("It must.", False), ("不得", True), ("It isn’t wrong", True)],
)
def test_a_denial_is_seen(text, denied):
    assert is_denied(text) is denied


ANSWER = """Leave is asked. [1] An answer comes soon `a[0]` afterwards [2]. Third

> Quoted words here. [3]

- **Four weeks ahead** [1]
- Penguins cannot fly over
  the [snowy Alps.](https://example.org/1.2)

```
x[1] = 2. No
```
# Heading. One
| a. b | [1] |
员工应当提前四周提出申请[1]。负责人在五个工作日内答复。"""


def test_sentences_of_an_answer_with_their_places_and_marks():
    found = [(said.text, said.cited) for said in read_sentences(ANSWER)]
    assert found == [
        ("Leave is asked.", (1,)),
        ("An answer comes soon `a[0]` afterwards.", (2,)),
        ("Third", ()),
        ("Quoted words here.", (3,)),
        ("**Four weeks ahead**", (1,)),
        ("Penguins cannot fly over the [snowy Alps.", ()),
        ("员工应当提前四周提出申请。", (1,)),
        ("负责人在五个工作日内答复。", ()),
    ]


@given(st.text(alphabet="ab. \n>-*#|`[]1()。你", max_size=120))
def test_a_place_is_always_in_the_answer(text):
    last = 0
    for said in read_sentences(text):
        assert last <= said.start < said.end <= said.place <= len(text)
        last = said.start


def test_a_mark_of_its_own_stands_behind_emphasis_and_links():
    text = "**Bold words end here.** A [link ends.](https://example.org) More."
    assert [text[: said.place][-5:] for said in read_sentences(text)] == ["re.**", ".org)", "More."]
