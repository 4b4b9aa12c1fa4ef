from hypothesis import given
from hypothesis import strategies as st

from agents.packing import BLOCK_TOKENS, pack
from agents.tokens import estimate_tokens
from tests.agents.passages import passage

LEASE = "Each lease lasts thirty seconds and is renewed every ten seconds by its holder."
FENCE = "A fence is a number that grows with every claim, so that a zombie writes nothing."
OTHER = "Postgres is the record of everything; Redis only rings doorbells between processes."


def texts(packed):
    return [p.text for p in packed]


def test_best_first_and_numbered():
    packed = pack([passage(LEASE), passage(OTHER, document="notes")], 1000)
    assert [(p.n, p.text, p.title) for p in packed] == [
        (1, LEASE, "Handbook"),
        (2, OTHER, "Notes"),
    ]


def test_near_duplicates_are_dropped():
    copy = passage(LEASE.replace("holder.", "holder!"), document="copy")
    assert texts(pack([passage(LEASE), copy, passage(FENCE, 500)], 1000)) == [LEASE, FENCE]


def test_neighbours_of_one_document_are_joined_in_reading_order():
    first = passage(LEASE)
    second = passage(FENCE, first.end + 2)
    third = passage(OTHER, second.end + 1)
    packed = pack([second, passage("Else entirely, elsewhere.", 9000), third, first], 1000)
    assert [p.n for p in packed] == [1, 2]
    assert packed[0].parts == (first, second, third)
    assert packed[0].text == f"{LEASE}\n{FENCE}\n{OTHER}"


def test_a_passage_that_closes_a_gap_joins_both_sides():
    first = passage(LEASE)
    second = passage(FENCE, first.end + 1)
    third = passage(OTHER, second.end + 1)
    (packed,) = pack([third, first, second], 1000)
    assert packed.parts == (first, second, third)


def test_an_overlap_is_shown_once():
    first = passage(LEASE + " " + FENCE[:20])
    second = passage(FENCE, first.end - 20)
    (packed,) = pack([first, second], 1000)
    assert packed.text == f"{LEASE} {FENCE}"


def test_the_same_place_in_another_document_is_no_neighbour():
    first = passage(LEASE)
    assert len(pack([first, passage(FENCE, first.end + 1, document="notes")], 1000)) == 2


def test_what_does_not_fit_makes_room_for_what_does():
    budget = estimate_tokens(LEASE) + estimate_tokens("Short one.") + 2 * BLOCK_TOKENS
    packed = pack([passage(LEASE), passage(OTHER * 3, 500), passage("Short one.", 2000)], budget)
    assert texts(packed) == [LEASE, "Short one."]


def test_only_the_first_is_cut():
    (packed,) = pack([passage(LEASE * 20)], BLOCK_TOKENS + 30)
    (part,) = packed.parts
    assert (LEASE * 20).startswith(part.text)
    assert part.end - part.start == len(part.text)


def test_at_most_the_limit_and_nothing_from_nothing():
    assert len(pack([passage(LEASE), passage(FENCE, 500), passage(OTHER, 900)], 1000, 2)) == 2
    assert pack([], 1000) == ()
    assert pack([passage(LEASE)], 10) == ()


chunks = st.builds(
    passage,
    st.text(alphabet="ab c。中文字\n", min_size=1, max_size=300),
    st.integers(0, 500),
    st.sampled_from(["one", "two"]),
)


@given(st.lists(chunks, max_size=12), st.integers(0, 600), st.integers(0, 10))
def test_never_over_budget_nor_over_the_limit(found, budget, limit):
    packed = pack(found, budget, limit)
    parts = [part for p in packed for part in p.parts]
    assert len(parts) <= limit
    assert sum(estimate_tokens(part.text) + BLOCK_TOKENS for part in parts) <= budget or not parts
    assert [p.n for p in packed] == list(range(1, len(packed) + 1))
    assert all(part.end - part.start == len(part.text) for part in parts)
