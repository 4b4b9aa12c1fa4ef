"""Approved answers: found by their wordings, by those who may see them, until they expire."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import Grant
from agents.loop import run_agent
from agents.types import (
    AgentSpec,
    AgentTask,
    AnswerApproved,
    CitationAdded,
    Finished,
    LabelsDemanded,
    RetrievalCompleted,
    TextDelta,
)
from knowledge.models import ApprovedAnswer, Collection
from knowledge.quality import approved
from knowledge.quality.approved import approve, find_approved, withdraw
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import Expectation

pytestmark = pytest.mark.django_db
QUESTION = "What may a hotel in Berlin cost at most in 2026?"
QUOTE = "Hotels cost at most 120 euros a night."


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    approved._any_there.forget()
    yield
    approved._any_there.forget()


@pytest.fixture
def pinned(alice, handbook, shelf_of_three) -> ApprovedAnswer:
    made = approve(
        alice, handbook, QUESTION, "120 euros a night [1], also in Berlin.",
        wordings=["柏林的酒店每晚最多可以花多少錢？"],
        sources=[Expectation(shelf_of_three["travel"].pk, QUOTE)],
    )  # fmt: skip
    approved._any_there.forget()
    return made


@pytest.mark.parametrize(
    ("question", "is_found"),
    [
        (QUESTION, True),
        ("what MAY a hotel in Berlin  cost at most in 2026", True),
        ("What can hotels in Berlin cost at most in 2026?", True),
        ("柏林的酒店每晚最多可以花多少钱", True),  # in Simplified characters
        ("What may a hotel in Berlin cost at most in 2025?", False),
        ("What may a hotel in Berlin not cost at most in 2026?", False),
        ("What may a hotel in Paris cost at most?", False),
        ("Why may a hotel in Berlin cost at most in 2026?", False),
        ("When may a hotel in Berlin cost at most in 2026?", False),
        ("柏林的酒店為什麼每晚最多可以花錢？", False),
        ("How many days of leave are there?", False),
        ("", False),
    ],
)
def test_exact_and_near_wordings(alice, pinned, question, is_found):
    found = find_approved(alice, question)
    assert (found is not None) is is_found
    if found:
        ((n, passage),) = found.passages
        assert (n, passage.text, passage.title) == (1, QUOTE, "Travel")


def test_only_for_those_who_see_the_collection(alice, bob, charlie, handbook, pinned):
    assert find_approved(bob, QUESTION) is None
    Grant.objects.create(user=bob, kind="collection", object_id=handbook.pk, role="reader")
    assert find_approved(bob, QUESTION).is_exact
    assert find_approved(charlie, QUESTION) is None
    other = Collection.objects.create(owner=alice, name="Other")
    assert find_approved(alice, QUESTION, [other.pk]) is None
    with pytest.raises(PermissionDenied):
        withdraw(bob, pinned)


def test_it_expires_is_changed_and_withdrawn(alice, handbook, pinned, shelf_of_three):
    ApprovedAnswer.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert find_approved(alice, QUESTION) is None
    approve(alice, handbook, QUESTION, "130 euros.", answer=pinned)
    assert find_approved(alice, QUESTION).text == "130 euros."
    with pytest.raises(QuestionRefused):
        approve(alice, handbook, QUESTION.lower(), "Another.")
    withdraw(alice, pinned)
    assert find_approved(alice, QUESTION) is None


def test_a_source_that_is_gone_is_not_shown(alice, pinned, shelf_of_three):
    shelf_of_three["travel"].delete()
    assert find_approved(alice, QUESTION).passages == ()


def run(task: AgentTask) -> list:
    async def collect() -> list:
        return [step async for step in run_agent(task)]

    return async_to_sync(collect)()


@pytest.mark.django_db(transaction=True)
def test_it_is_given_first_with_its_sources_and_not_when_another_is_wanted(alice, handbook, pinned):
    Collection.objects.filter(pk=handbook.pk).update(required_labels=["eu"])
    steps = run(AgentTask(AgentSpec(), alice, QUESTION))
    assert [type(step) for step in steps] == [
        LabelsDemanded, RetrievalCompleted, AnswerApproved, TextDelta, CitationAdded, Finished,
    ]  # fmt: skip
    demanded, _found, marked, _text, citation, end = steps
    assert demanded.labels == ("eu",)
    assert (marked.id, marked.is_exact) == (pinned.pk, True)
    assert "120 euros" in citation.quote
    assert end.text == "120 euros a night [1], also in Berlin."
    Collection.objects.filter(pk=handbook.pk).update(required_labels=[])
    anew = run(AgentTask(AgentSpec(), alice, QUESTION, is_anew=True))
    assert not any(isinstance(step, AnswerApproved) for step in anew)
