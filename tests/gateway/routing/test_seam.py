"""Where a second endpoint goes on: whatever it repeats is dropped, and nothing else."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.routing.seam import SHORTEST, Seam, anchor_of

ANSWER = (
    "A lease lasts thirty seconds, and is renewed every ten. When its holder dies, nobody renews\n"
    "it; after that, another runner may claim the stream.\n\n- 租约三十秒，每十秒续约一次。\n"
    "- The fence grows with every claim, so what was thought dead cannot write.\n"
)
texts = st.text(alphabet="ab c\n.", min_size=1, max_size=200) | st.text(min_size=1, max_size=200)


def joined(said, second, sizes=(7,)):
    """Both texts as the reader sees them, the second cut into pieces of these sizes."""
    seam, shown, start, n = Seam(said), [said], 0, 0
    while start < len(second):
        size = sizes[n % len(sizes)]
        shown.append(seam.feed(second[start : start + size]))
        start, n = start + size, n + 1
    return "".join([*shown, seam.close()])


def letters(text):
    return "".join(text.split())


sizes = st.lists(st.integers(1, 30), min_size=1, max_size=5)


@given(text=texts, cut=st.integers(0, 200), sizes=sizes)
def test_who_repeats_what_it_was_asked_to_continues_any_text(text, cut, sizes):
    said, rest = text[:cut], text[cut:]
    assume(rest.strip())
    core = said.rstrip()
    start = core.rfind(anchor_of(said)) if core else len(said)
    assert joined(said, said[start:] + rest, sizes) == text


@given(cut=st.integers(1, len(ANSWER) - 1), more=st.integers(0, len(ANSWER)), sizes=sizes)
def test_however_it_is_cut_and_however_much_is_repeated(cut, more, sizes):
    said = ANSWER[:cut]
    repeated = said[len(said) - more :] if more else ""
    assume(not repeated or len(letters(repeated)) >= min(SHORTEST, len(letters(said))))
    assert joined(said, repeated + ANSWER[cut:], sizes) == ANSWER


@given(said=texts, second=texts, sizes=sizes)
def test_only_what_was_said_is_ever_dropped(said, second, sizes):
    shown = joined(said, second, sizes)
    assert shown.startswith(said)
    rest = shown[len(said) :]
    assert second.endswith(rest)
    dropped = letters(second[: len(second) - len(rest)])
    assert letters(said).endswith(dropped.lstrip("\"'“”‘’«»`….")) or letters(said).endswith(dropped)


@given(text=texts, sizes=sizes)
def test_the_cut_of_the_pieces_makes_no_difference(text, sizes):
    said = ANSWER[:150]
    second = ANSWER[120:150] + text
    assert joined(said, second, sizes) == joined(said, second, (len(second),))


@pytest.mark.parametrize("wrapping", ['"', "… ", "...", "\n\n", "“"])
def test_what_stands_before_the_repetition_does_not_matter(wrapping):
    said = ANSWER[:100]
    assert joined(said, wrapping + anchor_of(said) + ANSWER[100:]) == ANSWER


def test_short_accidents_are_no_repetition():
    assert (
        joined("The rows are (x, x, ", "x, x) and so on.") == "The rows are (x, x, x, x) and so on."
    )
    assert joined("Number 1", "1 is next.") == "Number 11 is next."


def test_nothing_is_held_back_longer_than_needed():
    seam = Seam(ANSWER[:100])
    assert seam.feed("Quite another sentence") == "Quite another sentence"
    seam = Seam(ANSWER[:100])
    assert seam.feed(anchor_of(ANSWER[:100])[:10]) == ""
    assert seam.feed(anchor_of(ANSWER[:100])[10:] + "n") == "n"


@pytest.mark.parametrize(
    "text",
    ["the end, my only friend, " * 8_000, "".join(map(str, range(40_000)))],
    ids=["loop", "text"],
)
def test_a_long_answer_that_is_begun_anew_and_told_otherwise_holds_nobody_up(text):
    said = f"x{text} and so"
    assert joined(said, said[:150_000] + "!", (40_000,)) == said + said[:150_000] + "!"


def test_line_breaks_at_the_seam_are_kept():
    assert joined("One.\n", "One.\n\nTwo.") == "One.\n\nTwo."
    assert joined("One.\n\n", "One.\n\nTwo.") == "One.\n\nTwo."
    assert joined("One.", "One.\n\nTwo.") == "One.\n\nTwo."
