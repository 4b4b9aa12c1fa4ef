"""A newer export of a conversation that was imported before adds what is new in it, and no more."""

import copy
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from accounts.models import User
from chat import services as chat
from chat.exports import documents as exports
from chat.imports import services, storage
from chat.models import Conversation, Import, ImportedConversation, Message
from chat.search import finding as search
from chat.spoken import notice_of
from events import jobs
from tests.chat.test_imports import bring, read, texts
from tests.support.exports import (
    as_json,
    chatgpt_conversation,
    chatgpt_message,
    chatgpt_node,
    claude_conversation,
)

pytestmark = pytest.mark.django_db


def later_chatgpt() -> Any:
    """The same, and a question more at its end."""
    item = chatgpt_conversation()
    tree, last = item["mapping"], item["current_node"]
    tree[last]["children"] = ["q3"]
    tree["q3"] = chatgpt_node("q3", last, ["a3"], chatgpt_message("user", ["How fast is it?"]))
    tree["a3"] = chatgpt_node("a3", "q3", [], chatgpt_message("assistant", ["230 km/h."]))
    return item | {"current_node": "a3", "update_time": 1_738_700_000.0}


def later_claude() -> Any:
    item = claude_conversation()
    more = copy.deepcopy(item["chat_messages"][-2:])
    for n, (message, text) in enumerate(zip(more, ["How fast is it?", "230 km/h."], strict=True)):
        message |= {"uuid": f"1111111{n}-5f2e-4e7b-8a64-d1c2b3a4f5e6", "text": text, "files": []}
        message["content"] = [{"type": "text", "text": text}]
    item["chat_messages"] += more
    return item


def parley(alice: User) -> tuple[Any, Any]:
    """Two exports of one conversation at alice's; bob will bring them to his."""
    turn = chat.start_turn(alice, None, "Is it far?")
    Message.objects.filter(pk=turn.answer_id).update(text="Not far.", status="complete")
    first = orjson.loads(exports.as_json(alice, turn.conversation_id))
    more = chat.start_turn(alice, turn.conversation_id, "How fast is it?")
    Message.objects.filter(pk=more.answer_id).update(text="230 km/h.", status="complete")
    return first, orjson.loads(exports.as_json(alice, turn.conversation_id))


FORMATS: dict[str, Callable[[User], tuple[Any, Any]]] = {
    "chatgpt": lambda _alice: (chatgpt_conversation(), later_chatgpt()),
    "claude": lambda _alice: (claude_conversation(), later_claude()),
    "parley": parley,
}


@pytest.fixture(params=FORMATS)
def both(request, alice) -> tuple[bytes, bytes]:
    first, later = FORMATS[request.param](alice)
    return as_json(first), as_json(later)


def counts(done: Import) -> tuple[int, int, int, int]:
    return done.added, done.grown, done.known, done.failed


def test_what_is_new_is_added_and_shown_and_only_once(bob, both):
    first, later = both
    assert counts(bring(bob, first)) == (1, 0, 0, 0)
    talk = Conversation.objects.get(owner=bob)
    before = set(talk.messages.values_list("pk", flat=True))
    assert search.find_hits(bob, "230") == []
    seen = read(bob, later)
    assert (seen.grown, seen.known, seen.found[0]["grown"]) == (1, 0, True)
    assert counts(bring(bob, later)) == (0, 1, 0, 0)
    talk.refresh_from_db()
    assert texts(talk, bob)[-2:] == ["How fast is it?", "230 km/h."]
    now = set(talk.messages.values_list("pk", flat=True))
    assert before < now
    assert len(now - before) == 2
    assert [hit.conversation.pk for hit in search.find_hits(bob, "230")] == [talk.pk]
    assert counts(bring(bob, later)) == (0, 0, 1, 0)
    assert counts(bring(bob, first)) == (0, 0, 1, 0), "an older export takes nothing away"
    assert set(talk.messages.values_list("pk", flat=True)) == now
    assert Conversation.objects.filter(owner=bob).count() == 1


def test_who_went_on_here_still_sees_that(bob, both):
    first, later = both
    bring(bob, first)
    talk = Conversation.objects.get(owner=bob)
    turn = chat.start_turn(bob, talk.pk, "And who drives it?", parent=talk.leaf_id)
    Message.objects.filter(pk=turn.answer_id).update(text="A driver.", status="complete")
    assert counts(bring(bob, later)) == (0, 1, 0, 0)
    talk.refresh_from_db()
    assert texts(talk, bob)[-2:] == ["And who drives it?", "A driver."]
    theirs = Message.objects.get(conversation=talk, text="How fast is it?")
    assert theirs.parent_id == Message.objects.get(pk=turn.question_id).parent_id
    assert counts(bring(bob, later)) == (0, 0, 1, 0)


def test_who_chose_another_version_keeps_it(alice):
    bring(alice, as_json(chatgpt_conversation()))
    talk = Conversation.objects.get()
    other = Message.objects.get(text="The ICE 598.")
    Conversation.objects.filter(pk=talk.pk).update(leaf_id=other.pk)
    assert bring(alice, as_json(later_chatgpt())).grown == 1
    talk.refresh_from_db()
    assert talk.leaf_id == other.pk


def test_an_answer_that_was_missing_takes_its_place(alice):
    item = chatgpt_conversation()
    answer = item["mapping"].pop("a2b")
    item["mapping"]["q2b"]["children"] = []
    bring(alice, as_json(item | {"current_node": "q2b"}))
    talk = Conversation.objects.get()
    assert "no answer" in notice_of(talk.messages.get(text=""))
    assert answer["message"]
    assert bring(alice, as_json(chatgpt_conversation())).grown == 1
    talk.refresh_from_db()
    assert texts(talk, alice)[-1] == "That is a Railjet."
    assert not talk.messages.filter(text="").exists()


def test_what_was_imported_before_its_messages_were_known_is_recognised(alice):
    bring(alice, as_json(chatgpt_conversation()))
    ImportedConversation.objects.update(messages={}, leaf_id=None)
    assert counts(bring(alice, as_json(chatgpt_conversation()))) == (0, 0, 1, 0)
    before = Message.objects.count()
    assert counts(bring(alice, as_json(later_chatgpt()))) == (0, 1, 0, 0)
    assert Message.objects.count() == before + 2
    assert texts(Conversation.objects.get(), alice)[-1] == "230 km/h."


def test_names_of_messages_may_be_anything(alice):
    item = chatgpt_conversation()
    tree = {f"\0{key}\ud800": node for key, node in item["mapping"].items()}
    for key, node in tree.items():
        node["parent"] = node["parent"] and f"\0{node['parent']}\ud800"
        node["children"] = [f"\0{child}\ud800" for child in node["children"]]
        node["id"] = key
    assert bring(alice, as_json(item | {"mapping": tree})).added == 1
    assert bring(alice, as_json(item | {"mapping": tree})).known == 1


def test_a_job_that_runs_again_after_a_crash_counts_what_it_added(alice):
    bring(alice, as_json(chatgpt_conversation()))
    content = as_json(later_chatgpt())
    made = bring(alice, content)
    Import.objects.filter(pk=made.pk).update(state=Import.State.IMPORTING, grown=0)
    storage.store(made.pk, io.BytesIO(content))
    again = jobs.enqueue(services.BRING, {"import_id": str(made.pk)}, alice.pk)
    Import.objects.filter(pk=made.pk).update(job_id=again.pk)
    jobs.run(str(again.pk))
    made.refresh_from_db()
    assert counts(made) == (0, 1, 0, 0)
