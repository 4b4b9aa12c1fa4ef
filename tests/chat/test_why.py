"""Why this answer: what is kept of a run, and what each reader may know of it."""

import json
from uuid import UUID

import pytest
from django.utils import timezone
from pgvector import SparseVector

from accounts.models import User
from accounts.services import share, unshare
from agents.types import (
    PackedPassage,
    PromptAssembled,
    PromptBlock,
    RetrievalCompleted,
    ToolCompleted,
)
from chat.models import Citation, Conversation, Message, Turn
from chat.services import start_turn
from chat.thread import list_thread
from chat.why.keeping import MOST, kept
from chat.why.reading import find_why
from chat.why.stages import find_stages
from gateway.models import Usage
from knowledge.analyzer import TERM_SPACE
from knowledge.models import Chunk, Collection, Document, Source
from knowledge.retrieval.types import Candidate, Drop, StageRank
from knowledge.types import Passage, SearchResult
from security.ids import new_id

pytestmark = pytest.mark.django_db

SECRET, OPEN = "Merger plan", "Travel policy"


def make_chunk(owner: User, title: str) -> Chunk:
    shelf = Collection.objects.create(owner=owner, name=title)
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf, source=source, title=title, file_name="a.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip
    return Chunk.objects.create(
        document=document, collection=shelf, version=1, position=0, text=f"Words of {title}",
        heading_path=[title, "Head"], start=0, end=20, script="latin", length=3, terms=[1],
        bm25=SparseVector({1: 1.0}, TERM_SPACE),
    )  # fmt: skip


def passage_of(chunk: Chunk) -> Passage:
    return Passage(
        chunk_id=chunk.pk, document_id=chunk.document_id, collection_id=chunk.collection_id,
        title=chunk.document.title, heading_path=("Head",), text=chunk.text, start=0, end=20,
        page=None, score=1.0,
    )  # fmt: skip


def candidate(chunk_id: UUID, document_id: UUID, rank: int, dropped: Drop | None) -> Candidate:
    stages = (StageRank("lexical", rank, 7.25, 0), StageRank("fused", rank, 0.91234567))
    return Candidate(chunk_id, document_id, stages, dropped)


def steps_of(first: Chunk, second: Chunk) -> list[dict[str, object]]:
    """The first passage was given to the model, the second was left out."""
    trace = (
        candidate(first.pk, first.document_id, 1, None),
        candidate(second.pk, second.document_id, 2, Drop.DUPLICATE),
    )
    passage = passage_of(first)
    timings = {"embed_ms": 2.0, "sql_ms": 5.0}
    found = SearchResult("May I fly?", (passage,), 7.0, 0.5, timings, (), trace)
    packed = (PackedPassage(1, (passage,)),)
    told = {"n": 1, "document_id": str(first.document_id), "title": passage.title}
    blocks = (PromptBlock("rules", 300), PromptBlock("passage", 100, 1), PromptBlock("question", 9))
    return [
        *kept(RetrievalCompleted("May I fly?", packed, 7.0, found)),
        {"kind": "retrieval_completed",
         "data": {"query": "May I fly?", "took_ms": 7.0, "passages": [told]}},
        *kept(PromptAssembled(blocks, 3000)),
    ]  # fmt: skip


@pytest.fixture
def answered(alice: User, builtin: object) -> Turn:
    """Alice's answer from a document that she shares and one that she does not."""
    given, left = make_chunk(alice, SECRET), make_chunk(alice, OPEN)
    talk = Conversation.objects.create(owner=alice, title="Travel")
    turn = start_turn(alice, talk.pk, "May I fly?")
    steps = steps_of(given, left)
    Message.objects.filter(pk=turn.answer_id).update(
        text="Yes [1].", status="complete", steps=steps, model_name="house-model",
        usage={"prompt_tokens": 410, "completion_tokens": 5, "first_token_ms": 30,
               "total_ms": 90},
    )  # fmt: skip
    Turn.objects.filter(pk=turn.pk).update(finished_at=timezone.now())
    Citation.objects.create(
        message_id=turn.answer_id, document=given.document, chunk_id=given.pk, n=1,
        quote="Words", start=0, end=5, title=SECRET,
    )  # fmt: skip
    Usage.objects.create(turn_id=turn.pk, model_name="house-model", cost="0.01", currency="USD")
    share(talk, User.objects.get(email="bob@example.org"), "reader", by=alice)
    return turn


def test_who_asked_sees_every_passage_and_what_became_of_it(alice, bob, answered):
    why = find_why(alice, answered.answer_id)
    first, second = why.candidates
    assert first.seen is not None
    assert second.seen is not None
    assert (first.seen.title, first.seen.heading, first.fate, first.n) == (
        SECRET, "Head", "cited", 1,
    )  # fmt: skip
    assert (second.seen.title, second.fate, second.n) == (OPEN, "duplicate", None)
    assert (first.lexical.rank, first.fused.score, first.dense) == (1, 0.9123, None)
    assert [query.text for query in why.queries] == ["May I fly?"]
    assert [(block.kind, block.tokens) for block in why.blocks] == [
        ("rules", 300), ("passage", 100), ("question", 9),
    ]  # fmt: skip
    assert (why.given, why.cited, why.hidden, why.budget) == (1, 1, 0, 3000)
    assert [stage.name for stage in why.stages if stage.is_part] == ["embed", "sql"]
    assert len(why.attempts) == 1
    assert str(why.costs[0][0]).startswith("0.01")


def test_a_reader_sees_the_passages_that_they_may_see_now(alice, bob, answered, client):
    shared = Collection.objects.get(name=OPEN)
    share(shared, bob, "reader", by=alice)
    why = find_why(bob, answered.answer_id)
    assert [one.seen and one.seen.title for one in why.candidates] == [None, OPEN]
    assert [one.fused.rank for one in why.candidates] == [1, 2]
    assert (why.attempts, why.costs) == ((), ())
    assert why.blocks[1].title == ""
    client.force_login(bob)
    for path in (f"/why/{answered.answer_id}", f"/api/v1/messages/{answered.answer_id}/why"):
        body = client.get(path).content.decode()
        assert OPEN in body
        assert SECRET not in body
        assert str(Document.objects.get(title=SECRET).pk) not in body
    unshare(shared, bob, by=alice)
    assert OPEN not in client.get(f"/why/{answered.answer_id}").content.decode()


@pytest.mark.parametrize(
    ("way", "model", "trouble", "said"),
    [
        ("endpoint", "ranker", "", "The first 30 reranked by ranker"),
        ("cross_encoder", "", "", "reranked by the model on this machine"),
        ("endpoint", "ranker", "late", "the order is that of the search"),
    ],
)
def test_it_says_who_reranked_and_for_how_long(
    alice, bob, answered, client, way, model, trouble, said
):
    message = Message.objects.get(pk=answered.answer_id)
    data = {"way": way, "model": model, "depth": 30, "took_ms": 812.0, "trouble": trouble}
    message.steps = [*message.steps, {"kind": "passages_reranked", "data": data}]
    message.save()
    client.force_login(bob)
    page = client.get(f"/why/{answered.answer_id}").content.decode()
    assert said in page
    assert "812" in page
    told = client.get(f"/api/v1/messages/{answered.answer_id}/why").json()
    assert told["reranking"] == data
    assert {"name": "reranked", "ms": 812.0, "is_part": False} in told["stages"]


def test_a_rule_that_keeps_a_passage_back_is_named(alice, bob, answered, client):
    message = Message.objects.get(pk=answered.answer_id)
    (search,) = (step for step in message.steps if step["kind"] == "search_kept")
    search["data"]["candidates"][1]["dropped"] = Drop.RULE.value
    message.save()
    client.force_login(alice)
    assert "kept back by a rule" in client.get(f"/why/{answered.answer_id}").content.decode()


def test_what_a_tool_searched_for_is_told_too(alice, bob, answered, client):
    """With its query, and each passage by what its reader may see."""
    first, second = (Chunk.objects.get(document__title=title) for title in (SECRET, OPEN))
    trace = (
        candidate(first.pk, first.document_id, 1, None),
        candidate(second.pk, second.document_id, 2, Drop.LIMIT),
    )
    found = SearchResult("trains", (), 3.0, 0.5, {}, (), trace)
    given = (PackedPassage(7, (passage_of(first),)),)
    done = ToolCompleted("c1", "done", 5, passages=given, found=found)
    nested = ToolCompleted("c2", "done", 5, parent="c9", found=found)
    called = {"call_id": "c1", "name": "search_documents", "arguments": '{"query": "night trains"}'}
    message = Message.objects.get(pk=answered.answer_id)
    message.steps = [
        *message.steps,
        {"kind": "tool_called", "data": called},
        *kept(done),
        *kept(nested),
    ]
    message.save()
    (call,) = find_why(alice, answered.answer_id).calls
    assert (call.query, call.more) == ("night trains", 0)
    assert [(one.fate, one.n) for one in call.candidates] == [("given", 7), ("limit", None)]
    (shown,) = (m.data["steps"] for m in list_thread(answered.conversation, alice) if m.data)
    assert "call_kept" not in [step["kind"] for step in shown]
    client.force_login(bob)
    page = client.get(f"/why/{answered.answer_id}").content.decode()
    assert "night trains" in page
    assert SECRET not in page
    told = client.get(f"/api/v1/messages/{answered.answer_id}/why").json()["calls"]
    assert [one["passage"] for one in told[0]["candidates"]] == [None, None]


def test_of_a_document_that_is_gone_or_split_anew_no_word_is_left(alice, bob, answered):
    Chunk.objects.filter(document__title=OPEN).delete()
    Document.objects.filter(title=SECRET).delete()
    gone, anew = find_why(alice, answered.answer_id).candidates
    assert gone.seen is None
    assert (anew.seen.title, anew.seen.text) == (OPEN, "")


def test_what_is_kept_says_no_word_and_stays_small(alice, bob, answered):
    message = Message.objects.get(pk=answered.answer_id)
    own = [step for step in message.steps if step["kind"].endswith("_kept")]
    assert len(own) == 2
    assert SECRET not in json.dumps(own)
    assert "Words" not in json.dumps(own)
    (shown,) = (m.data["steps"] for m in list_thread(answered.conversation, alice) if m.data)
    assert [step["kind"] for step in shown] == ["retrieval_completed"]
    many = tuple(candidate(new_id(), new_id(), n, Drop.LIMIT) for n in range(1, 500))
    found = SearchResult("q", (), 1.0, trace=many)
    (step,) = kept(RetrievalCompleted("q", (), 1.0, found))
    assert (len(step["data"]["candidates"]), step["data"]["more"]) == (MOST, 499 - MOST)
    assert len(json.dumps(step)) < 20_000


def test_there_is_no_why_of_what_is_no_answer_or_somebody_elses(alice, bob, charlie, client):
    talk = Conversation.objects.create(owner=alice, title="Travel")
    turn = start_turn(alice, talk.pk, "May I fly?")
    client.force_login(alice)
    assert client.get(f"/why/{turn.answer_id}").status_code == 404  # it is still being written
    assert client.get(f"/why/{turn.question_id}").status_code == 404
    Message.objects.filter(pk=turn.answer_id).update(status="complete")
    assert client.get(f"/why/{turn.answer_id}").status_code == 200  # without anything kept
    client.force_login(charlie)
    assert client.get(f"/why/{turn.answer_id}").status_code == 404


def test_stages_follow_each_other_and_fill_the_whole():
    steps = {
        "retrieval_completed": {"took_ms": 20.0},
        "search_kept": {"timings": {"sql_ms": 12.0, "embed_ms": 8.0}},
    }
    usage = {"first_token_ms": 30, "total_ms": 80}
    stages = find_stages(steps, usage, 200.0)
    assert [(stage.name, stage.is_part) for stage in stages] == [
        ("waited", False), ("searched", False), ("embed", True), ("sql", True),
        ("first_word", False), ("wrote", False),
    ]  # fmt: skip
    whole = [stage for stage in stages if not stage.is_part]
    assert sum(stage.share for stage in whole) == pytest.approx(1.0)
    assert stages[2].offset == pytest.approx(stages[1].offset)
    assert find_stages({}, None, None) == ()
