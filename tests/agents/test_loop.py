"""The agent's steps, with a scripted model on a real socket and passages given by the test."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from types import SimpleNamespace
from uuid import uuid4

import pytest

from agents.asking import searched_collections
from agents.loop import run_agent
from agents.tokens import estimate_tokens
from agents.types import (
    AgentSpec,
    AgentTask,
    AttachedFile,
    AttachmentUse,
    CitationAdded,
    EndpointSwitched,
    Finished,
    PackedPassage,
    PastMessage,
    Reading,
    ReasoningDelta,
    RetrievalCompleted,
    TextDelta,
    UsageRecorded,
)
from gateway.chat import stream_chat
from gateway.controls import Controls
from gateway.errors import BadRequest, StreamCut
from gateway.offline.answerer import answer
from gateway.types import PassageText, Route
from gateway.upstream.session import close_pool
from knowledge.types import SearchResult
from tests.agents.passages import passage
from tests.support.model_server import Script, model_server

__all__ = ["model_server"]

LEASE = passage("Runners claim turns. Each lease lasts thirty seconds and is renewed.", 100, page=3)
FENCE = passage("A fence grows with every claim. Zombies write nothing.", 900, "notes")
USER = SimpleNamespace(pk=uuid4())
QUESTION = "How many seconds does each lease last?"


class Run:
    """One run of the loop; keeps its steps, the error and what was asked of the outside."""

    def __init__(self, *routes, found=(LEASE, FENCE), holds=True, **task):
        self.routes = routes
        self.found = found
        self.holds = holds
        self.steps = []
        self.searches = []
        self.rules = ()  # guardrails of the installation
        self.calls = []
        self.read = None
        self.error = None
        fields = {"agent": AgentSpec(), "user": USER, "question": QUESTION}
        self.task = AgentTask(**(fields | task))

    async def search(self, user, query, collections, limit, *, remember, **_):
        self.searches.append((user, query, collections, limit))
        self.remembers = remember
        return SearchResult(query, tuple(self.found), 1.5)

    async def verify(self, citations):
        return [self.holds for _ in citations]

    async def find_routes(self, name):
        return self.routes

    async def find_approved(self, task):
        return None

    async def find_rules(self):
        return self.rules

    async def record(self, call):
        self.calls.append(call)

    def chat(self, request):
        free = replace(request, payer=replace(request.payer, budget=None))  # no database here
        return stream_chat(free, routes=self.find_routes, record=self.record)

    def stream(self):
        given = {"search": self.search, "chat": self.chat, "verify": self.verify}
        given |= {"routes": self.find_routes, "approved": self.find_approved}
        given |= {"rules": self.find_rules}
        return run_agent(self.task, **given, **({"read": self.read} if self.read else {}))

    def run(self):
        async def listen():
            try:
                async for step in self.stream():
                    self.steps.append(step)
            except (BadRequest, StreamCut) as error:
                self.error = error
            finally:
                await close_pool()

        asyncio.run(listen())
        return self

    def of(self, kind):
        return [step for step in self.steps if isinstance(step, kind)]

    @property
    def text(self):
        return "".join(step.text for step in self.of(TextDelta))


@pytest.fixture
def route(model_server):
    return Route("m", "up", "one", model_server.url)


def test_a_cited_answer(model_server, route):
    answer = "A lease lasts thirty seconds【1】. A fence grows with every claim [2, 7]."
    model_server.queue(Script(text=answer, reasoning="hm", token_size=3))
    run = Run(route, turn_id=uuid4()).run()
    assert run.text == "A lease lasts thirty seconds[1]. A fence grows with every claim [2]."
    retrieved, *_ = run.steps
    assert isinstance(retrieved, RetrievalCompleted)
    assert [(p.n, p.title) for p in retrieved.passages] == [(1, "Handbook"), (2, "Notes")]
    first, second = run.of(CitationAdded)
    assert (first.n, first.quote) == (1, "Each lease lasts thirty seconds and is renewed.")
    assert LEASE.text[first.start - LEASE.start : first.end - LEASE.start] == first.quote
    assert (first.page, first.title, first.heading_path) == (3, "Handbook", ("Chapter",))
    assert (second.n, second.quote) == (2, "A fence grows with every claim.")
    assert "".join(step.text for step in run.of(ReasoningDelta)) == "hm"
    (usage,) = run.of(UsageRecorded)
    assert (usage.model, usage.endpoint, usage.prompt_tokens) == ("m", "one", 10)
    assert run.steps[-1] == Finished(run.text, "m", is_offline=False)
    assert (run.calls[0].turn_id, run.calls[0].account_id) == (run.task.turn_id, USER.pk)


def test_the_prompt_holds_history_and_passages_in_their_places(model_server, route):
    history = (PastMessage("user", "What is a lease?"), PastMessage("assistant", "A claim [4]."))
    agent = AgentSpec(instructions="Speak like a clerk.", temperature=0.7, max_answer_tokens=50)
    Run(route, history=history, agent=agent).run()
    (sent,) = model_server.chat_requests
    system, asked, told, last = sent["messages"]
    assert "Speak like a clerk." in system["content"]
    assert LEASE.text not in system["content"]
    assert (asked["content"], told["content"]) == ("What is a lease?", "A claim.")
    assert last["role"] == "user"
    assert LEASE.text in last["content"]
    assert "Handbook › Chapter" in last["content"]
    assert last["content"].endswith(f"Question:\n{QUESTION}")
    assert (sent["temperature"], sent["max_tokens"]) == (0.7, 50)


def test_its_model_decodes_as_its_author_says(model_server, route):
    agent = AgentSpec(controls=Controls(top_p=0.5, seed=7), reasoning_effort="low")
    Run(route, agent=agent, controls=Controls(seed=8)).run()
    (sent,) = model_server.chat_requests
    assert (sent["top_p"], sent["seed"], sent["reasoning_effort"]) == (0.5, 8, "low")


def test_files_alone_are_summed_up_and_nothing_is_searched(model_server, route):
    file = AttachedFile(LEASE.document_id, LEASE.collection_id, "lease.md", False, is_new=True)

    async def read(task, query, budget):
        use = AttachmentUse(file.document_id, file.name, "whole")
        return Reading((use,), (PackedPassage(1, (LEASE,)),))

    run = Run(route, question="", attachments=(file,), collections=(uuid4(),))
    run.read = read
    run.run()
    assert not run.searches
    (sent,) = model_server.chat_requests
    asked = sent["messages"][-1]["content"]
    assert LEASE.text in asked
    assert "Question:\nI attached these files without a question." in asked


def test_without_a_model_files_alone_are_quoted_as_they_begin():
    passages = [PassageText(1, "A", "It begins so. Then it goes on."), PassageText(2, "A", "More.")]
    said = answer("", passages)
    assert "It begins so." in said
    assert "More." not in said


def test_a_short_follow_up_is_searched_with_the_question_before(route):
    history = (PastMessage("user", "What is a lease?"), PastMessage("assistant", "A claim."))
    run = Run(route, history=history, question="And a fence?").run()
    assert run.searches[0][1] == "What is a lease?\nAnd a fence?"
    rewritten, retrieved, *_ = run.steps
    assert retrieved.query == "What is a lease?\nAnd a fence?"
    assert [(query.way, query.text) for query in rewritten.queries] == [
        ("standalone", "What is a lease?\nAnd a fence?")
    ]


def test_what_is_asked_in_a_temporary_chat_is_searched_without_a_trace(route):
    assert Run(route).run().remembers is True
    assert Run(route, is_temporary=True).run().remembers is False


def test_the_same_evidence_is_shown_once(model_server, route):
    model_server.queue(Script(text="Each lease lasts thirty seconds [1]. Leases last thirty [1]."))
    assert len(Run(route).run().of(CitationAdded)) == 1


def test_56_a_quote_that_the_document_does_not_hold_is_not_shown(model_server, route):
    model_server.queue(Script(text="Each lease lasts thirty seconds [1]."))
    run = Run(route, holds=False).run()
    assert run.of(CitationAdded) == []
    assert isinstance(run.steps[-1], Finished)


def test_nothing_found_is_told_to_the_model(model_server, route):
    model_server.queue(Script(text="Nothing was found [1]."))
    run = Run(route, found=()).run()
    assert run.text == "Nothing was found."
    assert "No passages were found" in model_server.chat_requests[0]["messages"][-1]["content"]


def test_without_a_model_the_documents_are_quoted_and_cited():
    run = Run().run()
    assert "> Each lease lasts thirty seconds and is renewed. [1]" in run.text
    (citation, *_) = run.of(CitationAdded)
    assert citation.quote == "Each lease lasts thirty seconds and is renewed."
    done = run.steps[-1]
    assert done.is_offline
    assert done.notice == "Quoted from your documents; no model is connected."
    assert done.text == run.text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who painted the Mona Lisa in the museum of Paris?", "Nothing in the documents"),
        ("蒙娜丽莎是哪位画家的作品？", "没有找到"),
        ("蒙娜麗莎是哪位畫家的作品？", "沒有找到"),
    ],
)
def test_nothing_fits_is_said_in_the_language_of_the_question(question, words):
    run = Run(question=question).run()
    assert words in run.text
    assert not run.of(CitationAdded)


def test_a_model_that_is_down_is_said_and_quoted_around(model_server, route):
    model_server.queue(Script(status=401, error={"message": "bad key"}))
    run = Run(route).run()
    assert run.of(EndpointSwitched)[0].reason == "bad_credentials"
    done = run.steps[-1]
    assert done.is_offline
    assert "could not answer" in done.notice
    assert "bad key" in done.notice
    assert run.of(CitationAdded)


def test_an_answer_cut_at_its_limit_says_so(model_server, route):
    model_server.queue(Script(text="Half an", finish_reason="length"))
    assert "length limit" in Run(route).run().steps[-1].notice


def test_an_error_after_words_keeps_them(model_server, route):
    model_server.queue(Script(text="Each lease lasts thirty seconds.", cut_after=4))
    run = Run(route).run()
    assert isinstance(run.error, StreamCut)
    assert run.text
    assert not run.of(Finished)


def test_stopping_closes_the_connection_upstream(model_server, route):
    model_server.queue(Script(text="word " * 200, delay=0.01))
    run = Run(route)

    async def stop_at_first_word():
        async with aclosing(run.stream()) as steps:
            async for step in steps:
                if isinstance(step, TextDelta):
                    break
        seen = await asyncio.to_thread(model_server.wait_for, lambda s: s.disconnects == 1)
        await close_pool()
        return seen

    assert asyncio.run(stop_at_first_word())
    assert [call.outcome for call in run.calls] == ["cancelled"]


A, B = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("agents", "chosen", "searched"),
    [
        ((), (), None),
        ((), (A,), [A]),
        ((A,), (), [A]),
        ((A, B), (B,), [B]),
        ((A,), (B,), []),
    ],
)
def test_collections_narrow_each_other(agents, chosen, searched):
    task = AgentTask(AgentSpec(collections=agents), USER, QUESTION, collections=chosen)
    assert searched_collections(task) == searched


def test_nothing_in_common_means_no_search_at_all(route):
    run = Run(route, agent=AgentSpec(collections=(A,)), collections=(B,)).run()
    assert run.searches == []
    assert run.steps[0].passages == ()


@pytest.mark.parametrize(
    ("agent", "task"),
    [
        (AgentSpec(is_limited=True), {}),
        (AgentSpec(), {"is_limited": True}),
        (AgentSpec(collections=(A,), is_limited=True), {"is_limited": True}),
        (AgentSpec(is_limited=True), {"collections": (A,), "is_limited": True}),
    ],
)
def test_deleted_collections_are_said_and_nothing_is_searched(model_server, route, agent, task):
    run = Run(route, agent=agent, **task).run()
    assert run.searches == []
    assert model_server.chat_requests == []
    retrieved, said, finished = run.steps
    assert retrieved.passages == ()
    assert "no longer there" in said.text
    assert (finished.text, finished.is_offline) == (said.text, False)


def test_the_budget_holds_for_the_whole_prompt(model_server, route):
    words = " ".join(f"word{n}" for n in range(120))
    many = [passage(f"{n} {words}"[: 600 + n], n * 5000, f"d{n}") for n in range(12)]
    history = tuple(PastMessage("user", words) for _ in range(20))
    agent = replace(AgentSpec(), context_tokens=2000, max_passages=12)
    run = Run(route, found=many, history=history, agent=agent).run()
    (sent,) = model_server.chat_requests
    assert sum(estimate_tokens(m["content"]) for m in sent["messages"]) <= 2000
    assert 0 < len(run.steps[0].passages) < 12
