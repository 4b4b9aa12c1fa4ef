"""Each citation is the document's own words, from a passage that the reader may see (s56)."""

import asyncio
import random
import re

import pytest

from accounts.services import unshare
from agents.finding import search_documents
from agents.loop import run_agent
from agents.support import Sources
from agents.types import (
    AgentSpec,
    AgentTask,
    CitationAdded,
    RetrievalCompleted,
    SupportChecked,
)
from events import jobs
from gateway.routing.routes import forget_routes
from knowledge import services
from knowledge.models import Chunk, Collection, DocumentText
from observability.db import run_sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def samples(admin, settings, tmp_path):
    """The texts every installation starts with, in English and both Chinese scripts."""
    settings.FILES_ROOT = tmp_path / "files"
    forget_routes()
    collection = services.ensure_samples(admin)
    for job in collection.documents.values_list("job_id", flat=True):
        jobs.run(str(job))
    return collection


def ask(user, question, **options):
    async def listen():
        task = AgentTask(AgentSpec(), user, question)
        return [step async for step in run_agent(task, **options)]

    return asyncio.run(listen())


def citations_of(steps):
    return [step for step in steps if isinstance(step, CitationAdded)]


def check(user, citations):
    """Byte for byte in the stored text, and inside a passage that is permitted."""
    for citation in citations:
        text = DocumentText.objects.get(document=citation.document_id).text
        assert text[citation.start : citation.end] == citation.quote
        chunk = Chunk.objects.visible_to(user).get(pk=citation.chunk_id)
        assert chunk.start <= citation.start < citation.end <= chunk.end
        assert citation.quote.encode() in chunk.text.encode()


def questions(count, seed):
    """Random sentences of the texts as questions, some cut, some joined from two languages."""
    rng = random.Random(seed)
    texts = DocumentText.objects.order_by("document").values_list("text", flat=True)
    sentences = [
        found.strip()
        for text in texts
        for found in re.findall(r"[^.。！？\n#|`]{12,160}[.。？！]", text)
    ]
    assert len(sentences) > 100
    for _ in range(count):
        one, other = rng.choice(sentences), rng.choice(sentences)
        yield rng.choice([one, one[: len(one) // 2] + "?", f"{one[:40]} {other[:40]}"])


def check_support(steps, citations):
    """What is quoted without a model stands in its source, every sentence of it but those in
    another language than their passage, which are taken for translations."""
    judged = [step for step in steps if isinstance(step, SupportChecked)]
    assert all((step.supported, step.sentences) == (step.claims, ()) for step in judged)
    assert {citation.method for citation in citations} <= {"exact", "fuzzy", "words"}
    assert judged or not any(map(has_claims, citations))


def has_claims(citation):
    passage = Sources({1: Chunk.objects.get(pk=citation.chunk_id).text})
    return any(not claim.is_foreign for claim in passage.claims_in(citation.quote))


def check_random_questions(user, count, seed):
    runs = [ask(user, question) for question in questions(count, seed)]
    cited = [citations_of(steps) for steps in runs]
    for steps, citations in zip(runs, cited, strict=True):
        check(user, citations)
        check_support(steps, citations)
    assert sum(map(bool, cited)) > count // 2
    assert any(re.search("[\u4e00-\u9fff]", c.quote) for found in cited for c in found)


def test_s56_what_is_cited_stands_in_a_permitted_passage(samples, charlie):
    check_random_questions(charlie, 25, seed=56)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_s56_what_is_cited_stands_in_a_permitted_passage_a_thousand_times(samples, charlie):
    check_random_questions(charlie, 1000, seed=5600)


@pytest.mark.parametrize("what", ["deleted", "changed"])
def test_s56_a_document_that_goes_while_it_is_quoted_is_not_cited(samples, charlie, what):
    """Between the search and the first word: its words are not shown as evidence any more."""

    async def search(user, query, collections, limit, **_):
        found = await search_documents(user, query, collections, limit)
        await run_sync(change, found.passages[0].document_id)
        return found

    def change(document_id):
        document = samples.documents.get(pk=document_id)
        if what == "deleted":
            services.delete_document(document)
        else:
            DocumentText.objects.filter(document=document).update(text="Something else. " * 900)

    steps = ask(charlie, "How many unused days of leave move into the next year?", search=search)
    (retrieved,) = (step for step in steps if isinstance(step, RetrievalCompleted))
    gone = retrieved.passages[0].first.document_id
    assert gone not in {citation.document_id for citation in citations_of(steps)}
    check(charlie, citations_of(steps))


def test_s52_what_is_unshared_or_deleted_is_not_found_again(samples, admin, charlie):
    question = "How many unused days of leave move into the next year?"
    assert citations_of(ask(charlie, question))
    team = Collection.objects.get(pk=samples.pk)
    unshare(team, services.everyone(), by=admin)
    assert citations_of(ask(charlie, question)) == []
    assert citations_of(ask(admin, question))
    services.delete_collection(team)
    assert citations_of(ask(admin, question)) == []
