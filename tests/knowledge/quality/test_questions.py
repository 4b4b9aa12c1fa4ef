"""Who may write golden questions, what is refused, and what is kept when documents change."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Grant
from knowledge import services as knowledge
from knowledge.models import ExpectedPassage, GoldenQuestion
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.services import (
    Expectation,
    add_question,
    change_question,
    delete_question,
    review_question,
)

pytestmark = pytest.mark.django_db
QUOTE = "Hotels cost at most 120 euros a night."


def share(collection, user, role):
    Grant.objects.create(user=user, kind="collection", object_id=collection.pk, role=role)


def test_a_question_names_its_passage_by_words_and_counts(alice, handbook, shelf_of_three):
    travel = shelf_of_three["travel"]
    made = add_question(
        alice, handbook, " What may a hotel cost? ", expected=[Expectation(travel.pk, QUOTE)]
    )
    assert (made.text, made.state, made.script) == ("What may a hotel cost?", "accepted", "latin")
    assert made.expected.get().start == travel.extracted.text.index(QUOTE)
    assert list(GoldenQuestion.objects.counted()) == [made]


def test_the_same_words_are_the_same_question_with_more_expected(alice, handbook, shelf_of_three):
    first = add_question(alice, handbook, "Trains or planes?")
    assert not GoldenQuestion.objects.counted().exists()  # nobody knows what it is to find
    again = add_question(
        alice, handbook, "  trains or PLANES", expected=[Expectation(shelf_of_three["travel"].pk)]
    )
    assert again == first
    assert GoldenQuestion.objects.counted().count() == 1
    add_question(
        alice, handbook, "Trains or planes?", expected=[Expectation(shelf_of_three["travel"].pk)]
    )
    assert ExpectedPassage.objects.count() == 1


def test_what_a_reader_writes_waits_for_an_editor(alice, bob, charlie, handbook, shelf_of_three):
    share(handbook, bob, "reader")
    made = add_question(bob, handbook, "Who flies?", must_find_nothing=True, origin="feedback")
    assert (made.state, made.added_by) == ("proposed", bob)
    assert not GoldenQuestion.objects.counted().exists()
    with pytest.raises(PermissionDenied):
        review_question(bob, made, is_accepted=True)
    with pytest.raises(Http404):
        review_question(charlie, made, is_accepted=True)
    with pytest.raises(Http404):
        add_question(charlie, handbook, "Anything?")
    review_question(alice, made, is_accepted=True)
    assert GoldenQuestion.objects.counted().get() == made
    assert add_question(bob, handbook, "who flies").must_find_nothing  # a reader changes nothing
    assert GoldenQuestion.objects.visible_to(bob).count() == 1
    assert not GoldenQuestion.objects.editable_by(bob).exists()
    assert not GoldenQuestion.objects.visible_to(charlie).exists()


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", {}),
        ("?!", {}),
        ("x" * 2001, {}),
        ("Where?", {"quote": "These words stand nowhere."}),
        ("Where?", {"must_find_nothing": True, "quote": QUOTE}),
        ("Where?", {"quote": "y" * 5000}),
    ],
)
def test_what_makes_no_sense_is_refused(alice, handbook, shelf_of_three, text, more):
    expected = [Expectation(shelf_of_three["travel"].pk, more["quote"])] if "quote" in more else []
    nothing = more.get("must_find_nothing", False)
    with pytest.raises(QuestionRefused):
        add_question(alice, handbook, text, expected=expected, must_find_nothing=nothing)
    assert not GoldenQuestion.objects.exists()


def test_documents_of_other_collections_are_not_expected(alice, handbook, add_text):
    other = knowledge.create_collection(alice, "Other")
    document = add_text(other, "# Else\n\nSomething else.")
    with pytest.raises(QuestionRefused):
        add_question(alice, handbook, "Else?", expected=[Expectation(document.pk)])


def test_changed_and_deleted(alice, handbook, shelf_of_three):
    made = add_question(
        alice, handbook, "Hotels?", expected=[Expectation(shelf_of_three["travel"].pk)]
    )
    leave = shelf_of_three["leave"]
    change_question(
        alice, made, "How much leave?",
        expected=[Expectation(leave.pk, "thirty  days of\nannual leave")],
    )  # fmt: skip
    assert made.expected.get().document == leave
    leave.delete()
    assert not GoldenQuestion.objects.counted().exists()  # its document went, the question stays
    add_question(alice, handbook, "Hotels?")
    with pytest.raises(QuestionRefused):
        change_question(alice, made, "hotels", expected=[])
    delete_question(alice, made)
    assert GoldenQuestion.objects.get().text == "Hotels?"
