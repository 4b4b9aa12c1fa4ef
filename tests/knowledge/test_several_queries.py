"""Several queries of one question: together, at the same time, and nothing found at all."""

import asyncio
from contextlib import aclosing

import pytest

from accounts.models import User
from agents.finding import retrieve, search_documents
from agents.selectors import agent_spec
from agents.services import ensure_builtin_agents
from agents.types import AgentTask, QuerySearched, RetrievalCompleted
from knowledge import services
from knowledge.analyzer import term_id
from knowledge.models import Collection
from knowledge.retrieval import search, search_streaming
from knowledge.retrieval.candidates import Found
from knowledge.retrieval.questions import embed_for, prepare
from knowledge.retrieval.statements import Known
from knowledge.retrieval.thresholds import Likeness, calibrate, thresholds_of
from knowledge.retrieval.types import Drop, Query, Way
from knowledge.retrieval.understanding import Understood
from knowledge.types import SearchResult
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText

pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = {
    "leave": "Every employee has 25 days of paid annual leave. Unused days expire in March.",
    "coffee": "The coffee machine is descaled every two months with the blue powder.",
    "travel": "员工出差应优先选择高铁二等座，住宿标准为每晚不超过五百元。",
}
QUESTION = "annual leave"
COFFEE = Query("coffee machine", Way.PART, 0.6)


@pytest.fixture
def library(alice: User, add_text: AddText) -> Collection:
    collection = services.create_collection(alice, "Handbook")
    for name, text in TEXTS.items():
        add_text(collection, text, f"{name}.txt")
    return collection


def test_what_each_query_finds_counts_by_its_weight(alice: User, library: Collection) -> None:
    alone = search(alice, QUESTION, limit=1)
    both = search(alice, QUESTION, also=[COFFEE], limit=2)
    assert [p.title for p in both.passages] == ["leave", "coffee"]
    own, other = (search(alice, q).passages for q in (QUESTION, COFFEE.text))
    expected = {p.chunk_id: p.score / 1.6 for p in own}
    for p in other:
        expected[p.chunk_id] = expected.get(p.chunk_id, 0) + 0.6 * p.score / 1.6
    assert {p.chunk_id: p.score for p in both.passages} == pytest.approx(
        {p.chunk_id: expected[p.chunk_id] for p in both.passages},
        abs=5e-3,  # texts of one batch share the scale of int8
    )
    assert alone.passages[0].score == pytest.approx(1)
    assert both.query == QUESTION


def test_the_trace_has_every_candidate_with_its_ranks(alice: User, library: Collection) -> None:
    found = search(alice, QUESTION, also=[COFFEE], limit=1)
    first, *others = found.trace
    assert first.chunk_id == found.passages[0].chunk_id
    assert first.dropped is None
    assert {other.dropped for other in others} == {Drop.LIMIT}
    stages = {(at.stage, at.query): at.rank for at in first.stages}
    assert stages["lexical", 0] == stages["dense", 0] == stages["query", 0] == 1
    assert stages["fused", None] == 1


def test_queries_are_told_of_as_they_end_and_the_result_comes_last(
    alice: User, library: Collection
) -> None:
    async def listen() -> list[Found | SearchResult]:
        searching = search_streaming(alice, QUESTION, also=[COFFEE, Query("高铁", Way.TRANSLATION)])
        async with aclosing(searching) as found:
            return [one async for one in found]

    *told, result = asyncio.run(listen())
    assert {one.query.text for one in told} == {QUESTION, COFFEE.text, "高铁"}
    same = search(alice, QUESTION, also=[COFFEE, Query("高铁", Way.TRANSLATION)])
    assert result.passages == same.passages
    assert result.trace == same.trace


def test_who_stops_listening_leaves_nothing_behind(alice: User, library: Collection) -> None:
    async def listen() -> int:
        searching = search_streaming(alice, QUESTION, also=[COFFEE] * 5)
        async with aclosing(searching) as found:
            async for _ in found:
                break
        return len(asyncio.all_tasks())

    assert asyncio.run(listen()) == 1


def test_a_run_tells_its_reader_of_each_query(alice: User, library: Collection) -> None:
    task = AgentTask(agent_spec(ensure_builtin_agents(alice)), alice, QUESTION)
    understood = Understood((Query(QUESTION), COFFEE))

    async def listen() -> list[QuerySearched | RetrievalCompleted]:
        steps = retrieve(task, search_documents, understood, None, budget=2_000)
        async with aclosing(steps) as found:
            return [step async for step in found]

    *told, done = asyncio.run(listen())
    assert {(step.query, step.way) for step in told} == {
        (QUESTION, "original"),
        (COFFEE.text, "part"),
    }
    assert all(1 <= step.count <= len(TEXTS) and step.passages for step in told)
    assert isinstance(done, RetrievalCompleted)
    assert [packed.n for packed in done.passages] == [1, 2]


@pytest.mark.parametrize(
    "question", ["Who won the football cup in 1998?", "火星上有多少颗卫星？", "囧囧囧"]
)
def test_nothing_alike_is_nothing_found(alice: User, library: Collection, question: str) -> None:
    found = search(alice, question, only_alike=True)
    assert found.passages == ()
    assert {candidate.dropped for candidate in found.trace} <= {Drop.THRESHOLD}


@pytest.mark.parametrize(
    ("question", "title"),
    [("How many days of annual leave?", "leave"), ("出差住宿標準是多少", "travel")],
)
def test_what_answers_is_alike(alice: User, library: Collection, question: str, title: str) -> None:
    assert search(alice, question, only_alike=True).passages[0].title == title


@pytest.mark.parametrize("question", ["Summarise the documents.", "这些文件讲了什么？", "Why?"])
def test_a_question_about_everything_resembles_nothing_and_finds_something(question: str) -> None:
    thresholds = thresholds_of("all-MiniLM-L6-v2")
    assert thresholds.of(question).among(1_000) == 0
    assert thresholds.of("Who won the cup in 1998?").among(1_000) > 0


def test_among_many_passages_more_of_a_chinese_question_is_wanted() -> None:
    """Of many one has half of any question by chance; beyond what was measured it stays."""
    least = thresholds_of("all-MiniLM-L6-v2").of("出差住宿标准是多少？")
    assert least.among(4) == least.among(90) < least.among(180) < least.among(1_700)
    assert least.among(2_400) == least.among(1_000_000) < 0.5


def test_a_name_that_is_missing_weighs_more_than_what_surrounds_it() -> None:
    """In Chinese: "主席是谁" stands near every chairman, TUMAS in one document alone."""
    question, common = "TUMAS的主席是谁？", ("主", "席", "主席")
    (asked,) = prepare([question], embed_for(None, ()), find_active_version(), [0.0]).whole()
    known = Known(2_000, {term_id(word): 40 for word in common})
    likeness, least = Likeness(asked, known), thresholds_of("all-MiniLM-L6-v2").of(question)
    least = least.among(known.n)
    assert likeness.of({term_id(word) for word in common}, None) < least
    assert likeness.of(set(asked.counts) - {term_id(word) for word in common}, None) > least


def test_a_further_query_may_find_what_the_question_does_not(
    alice: User, library: Collection
) -> None:
    asked = "Who won the football cup in 1998?"
    assert not search(alice, asked, only_alike=True).passages
    assert search(alice, asked, also=[COFFEE], only_alike=True).passages


def test_a_threshold_is_the_lowest_that_keeps_its_promise() -> None:
    found = calibrate([0.2, 0.5, 0.6, 0.9], [0.1 * n for n in range(10)], most_false=0.2)
    assert 0.7 < found.threshold < 0.8
    assert (found.lost, found.false) == (0.75, pytest.approx(0.2))
    assert calibrate([0.4], [], most_false=0.1).threshold == 0
