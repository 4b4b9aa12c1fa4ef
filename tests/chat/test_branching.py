"""A conversation of one's own out of another, with what its maker may see of it."""

import pytest
from django.http import Http404

from accounts.models import Grant
from accounts.services import share
from agents.models import Agent
from chat.answers.branching import branch_conversation, find_origin
from chat.errors import StillRunning
from chat.models import Citation, Conversation, Message
from chat.services import start_turn
from knowledge.models import Collection, Document, Source
from security.ids import new_id


@pytest.fixture
def shelf(alice):
    return Collection.objects.create(owner=alice, name="Shelf")


@pytest.fixture
def talk(alice, builtin, shelf):
    """Two questions with answers, the first of them with evidence."""
    first = start_turn(alice, None, "One?", collections=[shelf.pk])
    finish(first, shelf)
    finish(start_turn(alice, first.conversation_id, "Two?"))
    return Conversation.objects.get(pk=first.conversation_id)


def finish(turn, shelf=None):
    Message.objects.filter(pk=turn.answer_id).update(
        status="complete", text=f"To {turn.question.text}", model_name="small"
    )
    if shelf is None:
        return
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf, source=source, title="Sky", file_name="sky.txt",
        media_type="text/plain", size=3, sha256="0" * 64,
    )  # fmt: skip
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=new_id(), n=1, quote="blue",
        start=0, end=4, title="Sky",
    )  # fmt: skip


def path(conversation):
    return list(conversation.messages.order_by("pk").values_list("role", "text"))


def test_the_path_up_to_the_message_is_copied(alice, talk, shelf):
    last_of_first = talk.messages.get(text="To One?")
    branch = branch_conversation(alice, talk.pk, last_of_first.pk)
    assert path(branch) == [("user", "One?"), ("assistant", "To One?")]
    answer = branch.messages.get(role="assistant")
    assert (answer.citations.get().quote, answer.model_name) == ("blue", "small")
    branch.refresh_from_db()
    assert branch.leaf_id == answer.pk
    assert (branch.title, branch.is_named, branch.is_limited) == (talk.title, True, True)
    assert list(branch.collections.all()) == [shelf]
    assert find_origin(alice, branch) == talk
    assert len(path(talk)) == 4
    follow_up = start_turn(alice, branch.pk, "Then?")
    assert follow_up.question.parent_id == answer.pk


def test_a_guest_takes_along_what_they_may_see(alice, bob, talk):
    secret = Agent.objects.create(owner=alice, name="Secret", slug="secret")
    Conversation.objects.filter(pk=talk.pk).update(agent=secret)
    share(talk, bob, Grant.Role.READER, by=alice)
    branch = branch_conversation(bob, talk.pk, talk.leaf_id)
    assert branch.owner == bob
    assert len(path(branch)) == 4
    assert not Citation.objects.filter(message__conversation=branch).exists()
    assert branch.agent is None
    assert (branch.is_limited, list(branch.collections.all())) == (True, [])
    Grant.objects.all().delete()
    assert find_origin(bob, branch) is None


def test_what_cannot_be_branched(alice, charlie, talk):
    other = start_turn(alice, None, "Else?")
    with pytest.raises(Http404):
        branch_conversation(charlie, talk.pk, talk.leaf_id)
    for message in (other.answer_id, new_id()):
        with pytest.raises(Http404):
            branch_conversation(alice, talk.pk, message)
    with pytest.raises(StillRunning):
        branch_conversation(alice, other.conversation_id, other.answer_id)
    assert Conversation.objects.count() == 2


def test_the_api_and_the_link_back(api_for, alice, client, talk):
    made = api_for(alice).post(f"/conversations/{talk.pk}/branch", {"message": str(talk.leaf_id)})
    assert made.status_code == 201
    assert made.json()["role"] == "owner"
    client.force_login(alice)
    page = client.get(f"/c/{made.json()['id']}").content.decode()
    assert f"/c/{talk.pk}?at={talk.leaf_id}" in page
