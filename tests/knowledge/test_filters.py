"""Filters against brute force: the same scores as without them, of what passes alone."""

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db.models.functions import Coalesce
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from gateway.embedding.embedder import get_embedder
from knowledge import services
from knowledge.analyzer import analyze, term_id
from knowledge.bm25 import idf
from knowledge.models import Chunk, Document, Embedding, Source
from knowledge.retrieval import filters as narrowing
from knowledge.retrieval import search, statements
from knowledge.retrieval.types import Filters
from tests.knowledge.conftest import AddText

pytestmark = pytest.mark.django_db

START = datetime(2025, 1, 1, tzinfo=UTC)
WORDS = re.findall(
    r"\w+", "leave travel coffee badge server budget invoice garden meeting train hotel"
)
CHINESE = "预算会议花园火车酒店咖啡假期发票门禁出差"
QUESTIONS = ("invoice for the hotel", "garden", "train budget meeting", "预算会议")
Narrow = Callable[[], Filters]


class Library:
    """Twelve documents of all kinds in two collections of alice's, and one of a stranger's."""

    def __init__(self, alice: User, charlie: User, add_text: AddText) -> None:
        chance = random.Random(11)
        self.documents: list[Document] = []
        self.mine: set[UUID] = set()
        for number, owner in enumerate([alice, alice, charlie]):
            collection = services.create_collection(owner, f"C{number}")
            more = Source.objects.create(collection=collection, kind="web", name="Site")
            for n, ending in enumerate(("md", "txt", "py", "md")):
                document = add_text(collection, _text(chance, n), f"{number}-{n}.{ending}")
                document.created_at = START + timedelta(days=number * 4 + n)
                document.language = ("en", "zh-hant", "", "zh-hans")[n]
                document.source = more if n % 2 else document.source
                document.save()
                self.documents.append(document)
            if owner is alice:
                self.mine.add(collection.pk)

    def passing(self, filters: Filters) -> set[UUID]:
        """Ids of alice's documents that pass, by rules written out once more in Python."""
        types = narrowing.media_types_of(filters.file_types or ())
        passing = set()
        for document in Document.objects.annotate(at=Coalesce("version_at", "created_at")):
            base = document.language.partition("-")[0]
            is_in = (
                document.collection_id in self.mine
                and (filters.documents is None or document.pk in filters.documents)
                and (filters.sources is None or document.source_id in filters.sources)
                and (filters.file_types is None or document.media_type in types)
                and (filters.languages is None or {document.language, base} & {*filters.languages})
                and (filters.from_ is None or document.at >= filters.from_)
                and (filters.until is None or document.at < filters.until)
            )
            if is_in:
                passing.add(document.pk)
        return passing

    def scores(self, question: str, documents: set[UUID], alpha: float) -> list[float]:
        """Convex fusion over the passages that pass; terms weigh what they weigh in all of mine."""
        chunks = list(Chunk.objects.filter(collection__in=self.mine))
        query = Counter(term_id(term) for term in analyze(question))
        dfs = Counter(term for chunk in chunks for term in chunk.terms)
        passing = [chunk for chunk in chunks if chunk.document_id in documents]
        lexical = {}
        for chunk in passing:
            weights = dict(zip(chunk.bm25.indices(), chunk.bm25.values(), strict=True))
            lexical[chunk.pk] = sum(
                count * idf(len(chunks), dfs[term]) * weights.get(term, 0)
                for term, count in query.items()
            )
        dense = dict.fromkeys(lexical, 0.0)
        if alpha:
            vector = get_embedder("all-MiniLM-L6-v2").embed([question])[0]
            for row in Embedding.objects.filter(chunk__in=passing).exclude(script="cjk"):
                dense[row.chunk_id] = max(0.0, float(np.dot(row.vector, vector)))
        best, nearest = max(lexical.values(), default=0), max(dense.values(), default=0)
        scores = [
            (1 - alpha) * lexical[pk] / (best or 1) + alpha * dense[pk] / (nearest or 1)
            for pk in lexical
            if lexical[pk] > 0 or dense[pk] > 0
        ]
        return sorted(scores, reverse=True)[:50]


def _text(chance: random.Random, n: int) -> str:
    if n in {1, 3}:
        return "\n\n".join("".join(chance.choices(CHINESE, k=30)) + "。" for _ in range(4))
    sections = [
        f"# {chance.choice(WORDS)} {i}\n\n" + " ".join(chance.choices(WORDS, k=12)) + "."
        for i in range(6)
    ]
    return "\n\n".join(sections)


@pytest.fixture
def library(alice: User, charlie: User, add_text: AddText) -> Library:
    return Library(alice, charlie, add_text)


def narrowings(library: Library) -> st.SearchStrategy[Filters]:
    days = st.integers(-1, 13).map(lambda day: START + timedelta(days=day))
    ids = [document.pk for document in library.documents]
    sources = sorted({document.source_id for document in library.documents})
    types = ["markdown", "text", "code:python", "code", "pdf", "nonsense"]
    some = lambda values: st.none() | st.lists(st.sampled_from(values), max_size=6).map(tuple)  # noqa: E731
    return st.builds(
        Filters,
        documents=some([*ids, uuid4()]),
        sources=some(sources),
        file_types=some(types),
        languages=some(["en", "zh", "zh-hant", "fr", ""]),
        from_=st.none() | days,
        until=st.none() | days,
    )


@pytest.mark.parametrize(
    ("few", "exact_below"), [(4_000, 4_000), (-1, 4_000), (-1, 0)], ids=["named", "asked", "walked"]
)
def test_filters_equal_brute_force(
    alice: User, library: Library, monkeypatch: pytest.MonkeyPatch, few: int, exact_below: int
) -> None:
    """However many pass: few are named one by one, of many each is asked, also along the graph."""
    monkeypatch.setattr(narrowing, "FEW", few)
    monkeypatch.setattr(statements, "EXACT_BELOW", exact_below)
    cases = narrowings(library)
    suppressed = list(HealthCheck)

    @settings(max_examples=12, deadline=None, suppress_health_check=suppressed, database=None)
    @given(filters=cases, question=st.sampled_from(QUESTIONS))
    def equal(filters: Filters, question: str) -> None:
        documents = library.passing(filters)
        found = search(alice, question, limit=50, filters=filters)
        assert {passage.document_id for passage in found.passages} <= documents
        expected = library.scores(question, documents, found.alpha)
        assert [p.score for p in found.passages] == pytest.approx(expected, abs=2e-3)

    equal()


def test_no_filter_opens_what_is_not_visible(alice: User, bob: User, library: Library) -> None:
    everything = Filters(
        documents=tuple(document.pk for document in library.documents),
        sources=tuple(document.source_id for document in library.documents),
        file_types=("markdown", "text", "code"),
        languages=("en", "zh", ""),
    )
    assert {p.collection_id for p in search(alice, "garden", filters=everything).passages} <= (
        library.mine
    )
    assert search(bob, "garden", filters=everything).passages == ()
    one = [library.documents[0].collection_id]
    within = search(alice, "garden", one, filters=everything).passages
    assert {passage.collection_id for passage in within} == set(one)


def test_a_version_counts_from_when_it_is_searched(alice: User, library: Library) -> None:
    document = library.documents[0]
    document.version_at = START + timedelta(days=100)
    document.save()
    late = Filters(from_=START + timedelta(days=99))
    assert {p.document_id for p in search(alice, "garden", filters=late).passages} == {document.pk}


def test_programs_name_documents_and_sources(alice: User, bob: User, library: Library) -> None:
    document, other = library.documents[:2]

    def found(user: User, **more: object) -> tuple[int, set[str]]:
        client = Client()
        client.force_login(user)
        body = {"query": "garden", "limit": 50, **more}
        answer = client.post("/api/v1/search", body, content_type="application/json")
        passages = answer.json().get("passages", [])
        return answer.status_code, {passage["document_id"] for passage in passages}

    assert found(alice, documents=[str(document.pk)])[1] <= {str(document.pk)}
    assert found(alice, documents=[str(document.pk), str(uuid4())])[0] == 404
    assert found(bob, documents=[str(other.pk)])[0] == 404
    assert found(alice, sources=[str(uuid4())])[0] == 404
    source = Source.objects.create(collection=document.collection, kind="api", name="Wiki")
    Document.objects.filter(pk=document.pk).update(source=source)
    assert found(alice, sources=[str(source.pk)])[1] <= {str(document.pk)}
    assert found(bob, sources=[str(source.pk)])[0] == 404
