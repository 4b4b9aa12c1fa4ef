"""One number for what a person may read: of rights, of versions, and of what was just found."""

import io

import pytest

from accounts.models import Grant, User
from accounts.services import share, unshare
from events import jobs
from knowledge import services
from knowledge.models import Chunk, Collection, Document
from knowledge.state import knowledge_state
from security.ids import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(alice, settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    guides = services.create_collection(alice, "Guides")
    text = b"# Lighthouse\n\nThe lamp turns once every twelve seconds.\n"
    document, _ = services.add_document(alice, guides, io.BytesIO(text), "guide.md")
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def test_it_is_one_query(alice, guide, django_assert_num_queries):
    knowledge_state(alice)
    with django_assert_num_queries(1):
        knowledge_state(alice, [guide.collection_id], documents={guide.pk})


def test_it_is_the_same_for_the_same_rights_and_changes_with_each(alice, bob, charlie, guide):
    nothing = knowledge_state(bob)
    assert knowledge_state(charlie) == nothing == "0:0"
    share(guide.collection, bob, Grant.Role.READER, by=alice)
    seen = knowledge_state(alice)
    assert knowledge_state(bob) == seen != nothing
    assert knowledge_state(bob, [guide.collection_id]) == seen
    assert knowledge_state(bob, [new_id()]) == knowledge_state(bob, []) == nothing
    states = {seen}
    for change in ({"version": 9}, {"sha256": "f" * 64}, {"status": Document.Status.FAILED}):
        Document.objects.filter(pk=guide.pk).update(**change)
        states.add(knowledge_state(alice))
    assert len(states) == 4
    assert knowledge_state(User(is_active=False)) == "0:0"


def test_what_was_found_under_other_rights_or_in_another_version_has_no_state(alice, bob, guide):
    """Else an answer from what somebody has lost could be kept for those who never had it."""
    (chunk,) = Chunk.objects.filter(document=guide).values_list("pk", flat=True)
    found = {"documents": {guide.pk}, "chunks": {chunk}}
    share(guide.collection, bob, Grant.Role.READER, by=alice)
    assert knowledge_state(bob, **found) == knowledge_state(bob)
    unshare(guide.collection, bob, by=alice)
    assert knowledge_state(bob, **found) is None
    assert knowledge_state(alice, **found) is not None
    Chunk.objects.filter(pk=chunk).delete()
    assert knowledge_state(alice, **found) is None
    assert Collection.objects.count() == 1
