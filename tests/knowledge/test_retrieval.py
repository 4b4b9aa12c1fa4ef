"""Search: what is found, by whom, why; equal to a brute-force computation over all passages."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts.models import Grant, Team, User
from accounts.services import disable, everyone, share, unshare
from gateway.embedding.embedder import LocalEmbedder, Vectors, get_embedder
from gateway.embedding.minilm import ModelFilesError
from knowledge import services
from knowledge.analyzer import analyze, term_id
from knowledge.bm25 import idf
from knowledge.chunking import index_text
from knowledge.document_access import services as access
from knowledge.embeddings.storages import dense_leg
from knowledge.models import Chunk, Collection, Embedding, spaces_of
from knowledge.retrieval import search, searching, statements
from knowledge.retrieval.allowed import allowed_to
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText

pytestmark = pytest.mark.django_db

LEAVE = "Every employee has 25 days of paid annual leave. Unused days expire in March."
COFFEE = "The coffee machine is descaled every two months with the blue powder."
TRAVEL = "员工出差应优先选择高铁二等座，住宿标准为每晚不超过五百元。"
INDUCTION = "新進員工於報到當日領取門禁卡，並於一週內完成資訊安全訓練。"


@pytest.fixture
def corpus(handbook: Collection, add_text: AddText) -> dict[str, str]:
    texts = {"leave": LEAVE, "coffee": COFFEE, "travel": TRAVEL, "induction": INDUCTION}
    return {str(add_text(handbook, text, f"{n}.txt").pk): n for n, text in texts.items()}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many vacation days do I get?", "leave"),
        ("descaling", "coffee"),
        ("出差可以坐什么车？", "travel"),
        ("出差住宿標準", "travel"),
        ("新进员工什么时候领门禁卡", "induction"),
    ],
)
def test_the_right_passage_is_first(
    alice: User, corpus: dict[str, str], question: str, expected: str
) -> None:
    found = search(alice, question)
    assert corpus[str(found.passages[0].document_id)] == expected
    assert found.took_ms > 0


def test_a_passage_says_why_it_is_there(alice: User, corpus: dict[str, str]) -> None:
    found = search(alice, "paid annual leave")
    first = found.passages[0]
    assert first.text == LEAVE
    assert first.ranks["lexical"]["rank"] == first.ranks["dense"]["rank"] == 1
    assert first.ranks["weight"] == found.alpha == 0.5
    assert first.ranks["terms_matched"] == ["annual", "leav", "paid"]
    assert first.score == pytest.approx(1)
    chinese = search(alice, "住宿标准").passages[0]
    assert (chinese.ranks["dense"], chinese.ranks["weight"]) == (None, 0.0)


@pytest.mark.parametrize(
    "question", ["", "   ", "!?", "the of and", "囧囧囧", "%s %(a)s {0}", "'; --"]
)
def test_any_question_gets_an_answer(alice: User, corpus: dict[str, str], question: str) -> None:
    assert len(search(alice, question).passages) <= 4


def test_nothing_fits_a_chinese_question_without_a_common_term(
    alice: User, corpus: dict[str, str]
) -> None:
    assert search(alice, "囧囧囧").passages == ()


def test_an_endless_question_is_cut(alice: User, corpus: dict[str, str]) -> None:
    assert search(alice, "leave " * 50_000).passages


def test_empty_library(alice: User) -> None:
    assert search(alice, "leave").passages == ()
    assert search(alice, "leave", collections=[]).passages == ()


def test_a_deleted_document_is_gone_from_the_next_search(
    alice: User, handbook: Collection, add_text: AddText
) -> None:
    document = add_text(handbook, LEAVE)
    assert search(alice, "annual leave").passages
    services.delete_document(document)
    assert search(alice, "annual leave").passages == ()


# -- Who finds what ------------------------------------------------------------------------------


def test_a_stranger_finds_nothing(
    alice: User, bob: User, charlie: User, handbook: Collection, corpus: dict[str, str]
) -> None:
    for question in ("annual leave", "住宿标准"):
        for person in (bob, charlie):
            assert search(person, question).passages == ()
            assert search(person, question, collections=[handbook.pk]).passages == ()


def test_grants_open_and_close(
    alice: User, bob: User, charlie: User, team: Team, handbook: Collection, corpus: dict[str, str]
) -> None:
    share(handbook, team, Grant.Role.READER, by=alice)
    assert search(bob, "annual leave").passages
    assert search(charlie, "annual leave").passages == ()
    share(handbook, everyone(), Grant.Role.READER, by=alice)
    assert search(charlie, "annual leave").passages
    unshare(handbook, everyone(), by=alice)
    assert search(charlie, "annual leave").passages == ()
    disable(bob)
    assert search(bob, "annual leave").passages == ()


def test_only_the_collections_asked_for_are_searched(
    alice: User, charlie: User, handbook: Collection, corpus: dict[str, str], add_text: AddText
) -> None:
    other = services.create_collection(alice, "Other")
    add_text(other, "Annual leave of another company.", "other.txt")
    hidden = services.create_collection(charlie, "Hidden")
    add_text(hidden, "Annual leave of the hidden company.", "hidden.txt")
    everything = {p.collection_id for p in search(alice, "annual leave").passages}
    assert everything == {handbook.pk, other.pk}
    asked = search(alice, "annual leave", collections=[other.pk, hidden.pk, uuid4()])
    assert {p.collection_id for p in asked.passages} == {other.pk}


def test_the_query_that_is_written_once_gives_everybody_what_they_may_see(
    alice: User, bob: User, charlie: User, handbook: Collection, team: Team
) -> None:
    share(handbook, team, Grant.Role.READER, by=alice)
    other = services.create_collection(alice, "Other")
    disable(charlie)
    for person in (alice, bob, charlie, AnonymousUser()):
        for within in (None, [other.pk, handbook.pk], [uuid4()], []):
            expected = {row.pk for rows in spaces_of(person, within) for row in rows}
            sql, values = allowed_to(person, within)
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                assert {pk for (pk,) in cursor.fetchall()} == expected
    assert {row.pk for row in spaces_of(bob)[0]} == {handbook.pk}


def test_the_query_that_is_written_once_knows_documents_with_readers_of_their_own(
    alice: User, bob: User, charlie: User, handbook: Collection, team: Team, add_text: AddText
) -> None:
    share(handbook, team, Grant.Role.READER, by=alice)
    kept = add_text(handbook, "Kept from the team.", "kept.txt")
    shown = add_text(handbook, "Shown to one person more.", "shown.txt")
    access.restrict(alice, kept.pk, is_restricted=True)
    access.share(alice, shown.pk, charlie)
    found: dict[User, set[UUID]] = {}
    for person in (alice, bob, charlie):
        sql, values = allowed_to(person)
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            found[person] = {pk for (pk,) in cursor.fetchall()}
        assert found[person] == {row.pk for rows in spaces_of(person) for row in rows}
    assert found[charlie] < found[bob] < found[alice]
    assert [len(found[person]) for person in (charlie, bob, alice)] == [1, 2, 3]
    assert found[bob] - found[charlie] == {handbook.pk}


def test_words_are_looked_for_while_the_question_is_embedded(
    alice: User, corpus: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_looked_for, embed = threading.Event(), LocalEmbedder.embed

    def wait(self: LocalEmbedder, texts: Sequence[str]) -> Vectors:
        assert is_looked_for.wait(60)
        return embed(self, texts)

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if "knowledge_lexicon" in sql:
            is_looked_for.set()
        return found

    monkeypatch.setattr(LocalEmbedder, "embed", wait)
    with connection.execute_wrapper(watch):
        found = search(alice, "paid annual leave").passages[0]
    assert found.text == LEAVE
    assert found.ranks["dense"]["rank"] == 1


def test_what_the_embedder_raises_ends_the_search(
    alice: User, corpus: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: LocalEmbedder, texts: Sequence[str]) -> Vectors:
        raise ModelFilesError

    with monkeypatch.context() as patched:
        patched.setattr(LocalEmbedder, "embed", fail)
        with pytest.raises(ModelFilesError):
            search(alice, "paid annual leave")
    assert search(alice, "paid annual leave").passages[0].text == LEAVE


def test_a_strangers_passages_do_not_change_my_scores(
    alice: User, charlie: User, corpus: dict[str, str], add_text: AddText
) -> None:
    before = search(alice, "annual leave").passages
    hidden = services.create_collection(charlie, "Hidden")
    for n in range(3):
        add_text(hidden, f"Annual leave {n}: annual leave.", f"{n}.txt")
    assert search(alice, "annual leave").passages == before


# -- Against brute force --------------------------------------------------------------------------


def weights_of(chunk: Chunk) -> dict[int, float]:
    return dict(zip(chunk.bm25.indices(), chunk.bm25.values(), strict=True))


def brute_force(question: str, collections: set, alpha: float) -> list:
    """Convex fusion of exact BM25 and exact inner products, computed passage by passage."""
    chunks = list(Chunk.objects.filter(collection__in=collections))
    query = Counter(term_id(term) for term in analyze(question))
    dfs = Counter(term for chunk in chunks for term in chunk.terms)
    lexical = {
        chunk.pk: sum(
            count * idf(len(chunks), dfs[term]) * weights_of(chunk).get(term, 0)
            for term, count in query.items()
            if term in dfs
        )
        for chunk in chunks
    }
    vector = get_embedder("all-MiniLM-L6-v2").embed([question])[0]
    dense = {
        row.chunk_id: float(np.dot(row.vector, vector))
        for row in Embedding.objects.filter(collection__in=collections)
    }
    top_lexical, top_dense = max(lexical.values()), max(dense.values())
    scores = {
        pk: (1 - alpha) * lexical[pk] / top_lexical + alpha * max(0, dense.get(pk, 0)) / top_dense
        for pk in lexical
    }
    return sorted(scores.items(), key=lambda item: -item[1])


@pytest.fixture
def many(alice: User, charlie: User, add_text: AddText) -> list[Collection]:
    """Three collections of random sentences, one of them not visible to alice."""
    chance = random.Random(7)
    words = [
        "leave",
        "travel",
        "coffee",
        "badge",
        "server",
        "budget",
        "invoice",
        "garden",
        "meeting",
        "train",
        "hotel",
    ]
    made = []
    for number, owner in enumerate([alice, alice, charlie]):
        collection = services.create_collection(owner, f"C{number}")
        sections = [
            f"# {chance.choice(words)} {n}\n\n" + " ".join(chance.choices(words, k=12)) + "."
            for n in range(25)
        ]
        add_text(collection, "\n\n".join(sections), f"{number}.md")
        made.append(collection)
    return made


@pytest.mark.parametrize(("exact_below", "scored_below"), [(0, 0), (4_000, 10_000)])
@pytest.mark.parametrize("question", ["invoice for the hotel", "garden", "train budget meeting"])
def test_scores_equal_brute_force(
    alice: User,
    many: list[Collection],
    monkeypatch: pytest.MonkeyPatch,
    question: str,
    exact_below: int,
    scored_below: int,
) -> None:
    monkeypatch.setattr(statements, "EXACT_BELOW", exact_below)
    monkeypatch.setattr(statements, "SCORED_BELOW", scored_below)
    visible = {many[0].pk, many[1].pk}
    expected = brute_force(question, visible, 0.5)[:10]
    found = search(alice, question, limit=10).passages
    assert [p.score for p in found] == pytest.approx([s for _, s in expected], abs=2e-3)
    assert {p.collection_id for p in found} <= visible


def test_what_was_found_by_words_counts_by_its_vector_too(
    alice: User, many: list[Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "LEG_LIMIT", 3)
    far = 0  # from the question by their vectors: without a place there, not without a score
    for question in ("train budget meeting", "garden", "a hotel with coffee", "badge for a server"):
        expected = dict(brute_force(question, {many[0].pk, many[1].pk}, 0.5))
        by_words = [p for p in search(alice, question).passages if p.ranks["lexical"]]
        assert {p.chunk_id: p.score for p in by_words} == pytest.approx(
            {p.chunk_id: expected[p.chunk_id] for p in by_words}, abs=2e-3
        )
        far += sum(p.ranks["dense"] is None for p in by_words)
    assert far


def test_where_few_of_all_are_searched_the_walk_is_short_and_the_first_are_the_same(
    alice: User, many: list[Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "invoice for the hotel"
    exact = search(alice, question, limit=10).passages
    with connection.cursor() as cursor:
        cursor.execute("analyze knowledge_embedding")  # how many there are is known from now on
    monkeypatch.setattr(statements, "EXACT_BELOW", 0)
    monkeypatch.setattr(statements, "FEW_OF_ALL", 2)
    monkeypatch.setattr(statements, "NEAREST_OF_FEW", 10)
    walked = search(alice, question, limit=10).passages
    assert [p.chunk_id for p in walked] == [p.chunk_id for p in exact]
    assert [p.score for p in walked] == pytest.approx([p.score for p in exact])


def test_both_indexes_are_used_where_there_is_much(many: list[Collection]) -> None:
    """With sequential scans priced out, the plans of both legs rest on their indexes."""
    leg = dense_leg(find_active_version(), 10, is_exact=False, within=statements.WITHIN).sql
    vector = "[" + ",".join(["0.05"] * 384) + "]"
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("set local enable_bitmapscan = off")
        cursor.execute("set local enable_sort = off")
        allowed = "with allowed as (select id from knowledge_collection) "
        cursor.execute(f"explain {allowed} {leg}", [vector, vector])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "embedding_hnsw_1" in plan


def test_the_vector_is_of_the_title_path_and_the_text(
    handbook: Collection, add_text: AddText
) -> None:
    document = add_text(handbook, "# Leave policy\n\n## Sick leave\n\nCall before nine.")
    chunk = document.chunks.get()
    expected = get_embedder("all-MiniLM-L6-v2").embed(
        [index_text("Leave policy", ["Sick leave"], "Call before nine.")]
    )[0]
    stored = Embedding.objects.get(chunk=chunk).vector
    assert float(np.dot(stored, expected)) > 0.999


def test_where_few_of_all_are_searched_their_vectors_are_read() -> None:
    """A walk through the graph passes those of others too."""
    assert statements._is_exact(4_000, 4_000)
    assert not statements._is_exact(20_000, 20_000)
    assert statements._is_exact(20_000, 200_000)
    assert not statements._is_exact(100_000, 200_000)
    assert not statements._is_exact(20_000, 0)  # nobody knows how many there are


def test_more_candidates_are_scored_than_are_ever_shown() -> None:
    fewest, most = statements.FEWEST_CANDIDATES, statements.MOST_CANDIDATES
    assert 2 * max(statements.LEG_LIMIT, searching.MAX_LIMIT) <= fewest < most
