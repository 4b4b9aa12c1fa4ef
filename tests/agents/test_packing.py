from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agents.packing import BLOCK_TOKENS, cost_of, pack, pack_with
from agents.packing.costs import cut
from agents.tokens import estimate_tokens
from gateway.sentences import split_sentences
from knowledge.retrieval.types import Drop
from knowledge.types import Around
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


# -- What stands around them ---------------------------------------------------------------------


def test_a_passage_grows_by_the_neighbours_of_its_section():
    before = replace(passage(OTHER), heading_path=("Elsewhere",))
    hit = passage(LEASE, before.end + 1)
    after = passage(FENCE, hit.end + 1)
    (packed,) = pack_with([hit], 1000, around=Around((before, after))).passages
    assert packed.parts == (hit, after)
    assert packed.score == hit.score


def test_neighbours_are_the_first_to_go_when_room_is_short():
    hit = passage(LEASE)
    other = passage(OTHER, document="notes")
    budget = cost_of([hit]) + cost_of([other])
    around = Around((passage(FENCE, hit.end + 1),))
    packed = pack_with([hit, other], budget, around=around)
    assert texts(packed.passages) == [LEASE, OTHER]
    assert packed.tokens <= budget


def test_a_short_document_is_shown_whole_where_it_fits():
    chapters = [passage(LEASE), passage(FENCE, 300), passage(OTHER, 600)]
    around = Around(tuple(chapters), {chapters[0].document_id: chapters})
    elsewhere = passage("Else entirely, elsewhere.", document="notes")
    packed = pack_with([chapters[1], elsewhere], 1000, around=around)
    assert texts(packed.passages) == [LEASE, FENCE, OTHER, "Else entirely, elsewhere."]
    little = pack_with([chapters[1], elsewhere], 200, around=around)
    assert texts(little.passages) == [FENCE, "Else entirely, elsewhere."]


def test_the_best_is_first_and_the_second_best_last():
    found = [passage(f"Number {n} of these: {chr(97 + n) * 30}.", n * 500) for n in range(5)]
    ranked = [replace(one, score=1 - n / 10) for n, one in enumerate(found)]
    order = [ranked.index(packed.first) for packed in pack(ranked, 1000)]
    assert order == [0, 2, 4, 3, 1]


def test_what_is_left_out_has_a_reason():
    hit, copy = passage(LEASE), passage(LEASE + " ", document="copy")
    long = passage("Something else that is long. " * 40, document="long")
    last = passage(OTHER, document="notes")
    dropped = pack_with([hit, copy, long, last], 150, 2).dropped
    assert dropped == {copy.chunk_id: Drop.DUPLICATE, long.chunk_id: Drop.BUDGET}
    assert pack_with([hit, last], 1000, 1).dropped == {last.chunk_id: Drop.LIMIT}


def test_what_says_half_the_same_waits_for_what_is_new():
    first = replace(passage(f"{LEASE} {FENCE}"), score=1.0)
    half = replace(
        passage(f"{LEASE} Nobody else may write meanwhile, whatever it believes.", 500), score=0.9
    )
    new = replace(passage(OTHER, 1500), score=0.85)
    packed = pack_with([first, half, new], 1000, 2)
    assert texts(packed.passages) == [first.text, new.text]
    assert packed.dropped == {half.chunk_id: Drop.DIVERSITY}


sentences = st.lists(
    st.sampled_from(
        ["Short one.", "一句中文，说了一些事情。", LEASE, FENCE, "A | B\n1 | 2\n", "x = 1\n"]
    ),
    min_size=1,
    max_size=6,
)


@given(sentences, st.integers(0, 200))
def test_a_cut_never_splits_a_sentence_that_could_be_shown_whole(found, budget):
    whole = passage(" ".join(found))
    part = cut(whole, budget)
    if part is None or part.text == whole.text:
        return
    assert cost_of([part]) <= budget
    assert whole.text.startswith(part.text)
    first = split_sentences(whole.text)[0]
    ends = {end for _, end in split_sentences(whole.text)}
    if cost_of([replace(whole, text=whole.text[: first[1]])]) <= budget:
        assert part.end in ends


@st.composite
def libraries(draw):
    """Documents in chunks that lie side by side, some of them found; the texts by document."""
    chunks, stored = [], {}
    for name in draw(st.lists(st.sampled_from(["one", "two", "three"]), unique=True, min_size=1)):
        text = ""
        for n in range(draw(st.integers(1, 6))):
            said = " ".join(draw(sentences)).strip()
            head = draw(st.sampled_from(["", "A | B"]))
            start = len(text)
            text += said + draw(st.sampled_from([" ", "\n\n", "      "]))
            chapter = (f"Chapter {n // 3}",)
            chunk = replace(passage(said, start, name), heading_path=chapter, head=head)
            chunks.append(chunk)
            stored[chunk.document_id] = text
    found = draw(st.lists(st.sampled_from(chunks), unique_by=lambda c: c.chunk_id, max_size=8))
    found = [replace(one, score=draw(st.floats(0, 1))) for one in found]
    nearby = draw(st.lists(st.sampled_from(chunks), unique_by=lambda c: c.chunk_id))
    whole = draw(st.sampled_from([None, *{chunk.document_id for chunk in chunks}]))
    every = {whole: [c for c in chunks if c.document_id == whole]} if whole else {}
    return found, Around(tuple(nearby), every), stored


@given(libraries(), st.integers(0, 900), st.integers(0, 8))
def test_whatever_is_around_budget_and_offsets_hold(library, budget, limit):
    found, around, stored = library
    packed = pack_with(found, budget, limit, around)
    parts = [part for p in packed.passages for part in p.parts]
    spent = sum(estimate_tokens(p.text) + BLOCK_TOKENS for p in packed.passages)
    assert spent <= packed.tokens <= max(budget, 0) or not parts
    assert all(stored[p.document_id][p.start : p.end] == p.text for p in parts)
    assert len({part.chunk_id for part in parts}) == len(parts)
    assert [p.n for p in packed.passages] == list(range(1, len(packed.passages) + 1))
    shown = {part.chunk_id for part in parts}
    left = {one.chunk_id for one in found if one.chunk_id not in shown}
    assert left == packed.dropped.keys()
