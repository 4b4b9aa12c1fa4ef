"""An answer is taken into the form of approved answers, and approved once it was read."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant
from accounts.services import share
from chat.answers.pinning import find_drafts
from chat.models import Citation, Conversation, Message
from knowledge.models import ApprovedAnswer, Chunk
from knowledge.quality.approved import find_approved
from tests.chat.test_golden import WORDS, answered, cited

__all__ = ["answered", "cited"]
pytestmark = pytest.mark.django_db


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of the form."""
    form = page[page.index('value="draft"') :].partition("</form>")[0]
    areas = re.findall(r'<textarea name="(\w+)" hidden>(.*?)</textarea>', form, re.DOTALL)
    inputs = re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', form)
    found: dict[str, Any] = {"action": "draft"}
    for name, value in [*areas, *inputs]:
        found.setdefault(name, []).append(unescape(value))
    return found


def test_from_an_answer_to_an_approved_one(
    alice: Any, answered: Message, cited: Chunk, client: Client
) -> None:
    client.force_login(alice)
    page = client.get(f"/why/{answered.pk}").content.decode()
    assert "Approve this answer in Handbook" in page
    address = f"/knowledge/{cited.collection_id}/quality/answers/new/"
    fields = fields_of(page)
    form = client.post(address, fields).content.decode()
    assert "May I fly?" in form
    assert WORDS in form
    assert not ApprovedAnswer.objects.exists()  # it was looked at, and no more
    assert client.post(address, fields | {"action": ""}).status_code == 302
    given = find_approved(alice, "May I fly?")
    assert given is not None
    assert given.text == "No [1]."
    assert [passage.text for _n, passage in given.passages] == [WORDS]


def test_marks_follow_the_sources_that_lie_there(
    alice: Any, answered: Message, cited: Chunk
) -> None:
    text = "Never [3]. By train [1], says `a[0]`."
    Message.objects.filter(pk=answered.pk).update(text=text)
    first = answered.citations.get()
    first.n = 3
    first.save()
    (draft,) = find_drafts(alice, answered.pk)
    assert draft.text == "Never [1]. By train, says `a[0]`."
    Citation.objects.create(
        message=answered, document=cited.document, chunk_id=cited.pk, n=1, quote="Trains",
        start=0, end=6, title="Handbook",
    )  # fmt: skip
    (draft,) = find_drafts(alice, answered.pk)
    quotes = [source.quote for source in draft.sources]
    assert sorted(quotes) == sorted(["Trains", WORDS])
    trains, words = quotes.index("Trains") + 1, quotes.index(WORDS) + 1
    assert draft.text == f"Never [{words}]. By train [{trains}], says `a[0]`."


def test_proposed_sources_get_their_marks(alice: Any, answered: Message) -> None:
    Message.objects.filter(pk=answered.pk).update(text="No. Ask somebody.")
    answered.citations.update(is_proposed=True, at=3)
    (draft,) = find_drafts(alice, answered.pk)
    assert draft.text == "No. [1] Ask somebody."


def test_for_editors_alone_and_only_while_its_words_stand(
    alice: Any, bob: Any, answered: Message, cited: Chunk
) -> None:
    share(Conversation.objects.get(pk=answered.conversation_id), bob, "reader", by=alice)
    share(cited.collection, bob, Grant.Role.READER, by=alice)
    assert find_drafts(bob, answered.pk) == []
    share(cited.collection, bob, Grant.Role.EDITOR, by=alice)
    assert len(find_drafts(bob, answered.pk)) == 1
    approved = [{"kind": "answer_approved", "data": {}}]
    Message.objects.filter(pk=answered.pk).update(steps=approved)
    assert find_drafts(bob, answered.pk) == []
    Message.objects.filter(pk=answered.pk).update(steps=[])
    cited.document.extracted.text = "Planes are fine."
    cited.document.extracted.save()
    cited.document.version_number = 2
    cited.document.save()
    assert find_drafts(bob, answered.pk) == []


def test_of_an_answer_without_a_model_its_quotations(alice: Any, answered: Message) -> None:
    text = f"Quoted from your documents; no model is connected:\n\n> {WORDS} [1]\n"
    Message.objects.filter(pk=answered.pk).update(text=text, model_name="offline")
    (draft,) = find_drafts(alice, answered.pk)
    assert draft.text == f"{WORDS} [1]"
