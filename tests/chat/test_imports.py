"""Exports of ChatGPT, Claude and Parley become conversations, once, and hostile ones an error."""

import io
import json
import random
import resource
import zipfile
from datetime import UTC, datetime

import pytest
from django.http import Http404

from accounts.models import User
from chat import services as chat
from chat.errors import ImportRefused
from chat.exports import documents as exports
from chat.imports import services, storage
from chat.imports.stream import read_items
from chat.imports.types import Unreadable
from chat.models import Conversation, Filing, Import, Message
from chat.retention import deletion
from chat.search import finding as search
from chat.thread import list_thread
from events import jobs
from events.models import Job
from knowledge.errors import FileTooLarge
from tests.support.exports import (
    as_json,
    as_zip,
    chatgpt_conversation,
    chatgpt_message,
    chatgpt_node,
    claude_conversation,
)

pytestmark = pytest.mark.django_db


def read(user: User, content: bytes, name: str = "conversations.json") -> Import:
    made = services.upload(user, io.BytesIO(content), name)
    jobs.run(str(made.job_id))
    made.refresh_from_db()
    return made


def bring(user: User, content: bytes, name: str = "conversations.json") -> Import:
    made = read(user, content, name)
    assert made.state == Import.State.READY, made.reason
    services.start(user, made.pk)
    made.refresh_from_db()
    jobs.run(str(made.job_id))
    made.refresh_from_db()
    assert made.state == Import.State.DONE, made.reason
    return made


def texts(conversation: Conversation, user: User) -> list[str]:
    return [shown.message.text for shown in list_thread(conversation, user)]


def test_a_chatgpt_export_is_previewed_then_imported_with_its_tree(alice):
    made = read(alice, as_json(chatgpt_conversation()))
    assert (made.conversations, made.known, made.failed) == (1, 0, 0)
    assert [(row["title"], row["source"]) for row in made.found] == [
        ("Trains to Munich", "chatgpt")
    ]
    assert not Conversation.objects.exists(), "nothing is imported before its owner says so"
    done = bring(alice, as_json(chatgpt_conversation()))
    assert (done.added, done.known, done.failed) == (1, 0, 0)
    talk = Conversation.objects.get()
    assert talk.title == "Trains to Munich"
    assert talk.created_at == datetime.fromtimestamp(1_738_656_000.25, UTC)
    assert talk.updated_at == datetime.fromtimestamp(1_738_659_600.5, UTC)
    assert texts(talk, alice) == [
        "Which train goes to Munich?",
        "Let me look.\n\nThe ICE 599  at **10:28**.",
        "[picture]\n\nAnd this one?",
        "That is a Railjet.",
    ]
    shown = list_thread(talk, alice)
    assert (shown[2].versions.number, shown[2].versions.count) == (2, 2)
    assert shown[1].message.reasoning == "Look at the timetable."
    assert shown[1].message.model_name == "gpt-4o"
    assert shown[0].message.created_at == datetime.fromtimestamp(1_738_656_000.25, UTC)
    assert not Message.objects.filter(text__contains="TOOL SECRET").exists()
    assert Filing.objects.get(conversation=talk).folder.name == "Imported"
    assert [hit.conversation.pk for hit in search.find_hits(alice, "Railjet")] == [talk.pk]


def test_a_claude_export_from_its_zip(alice):
    done = bring(alice, as_zip(as_json(claude_conversation())), "data.zip")
    assert done.added == 1
    talk = Conversation.objects.get()
    assert talk.title == "Leave policy"
    assert texts(talk, alice) == [
        "How long is the leave?\n\n[policy.txt]\n\nLeave is 20 weeks.",
        "Twenty weeks.",
        "Thanks!\n\n[note.pdf]",
        "You are welcome.",
    ]
    assert list_thread(talk, alice)[1].message.reasoning == "The attachment says it."
    assert not Message.objects.filter(text__contains="TOOL SECRET").exists()


def test_branches_of_a_claude_export_follow_their_parents(alice):
    item = claude_conversation()
    first, answer, again, other = item["chat_messages"]
    answer["parent_message_uuid"] = first["uuid"]
    again["parent_message_uuid"] = answer["uuid"]
    other["parent_message_uuid"] = first["uuid"]
    first["parent_message_uuid"] = "00000000-0000-4000-8000-000000000000"
    bring(alice, as_json(item))
    shown = list_thread(Conversation.objects.get(), alice)
    assert [it.message.text for it in shown][1:] == ["You are welcome."]
    assert (shown[1].versions.number, shown[1].versions.count) == (2, 2)


def test_our_own_export_comes_back_elsewhere_but_not_where_it_is(alice, bob):
    turn = chat.start_turn(alice, None, "Is it far?")
    Message.objects.filter(pk=turn.answer_id).update(text="Not far.", status="complete")
    again = chat.start_turn(alice, turn.conversation_id, "", question=turn.question_id)
    Message.objects.filter(pk=again.answer_id).update(text="600 km.", status="complete")
    content = exports.as_json(alice, turn.conversation_id)
    assert bring(alice, content).known == 1
    assert bring(bob, content).added == 1
    theirs = Conversation.objects.get(owner=bob)
    assert texts(theirs, bob) == ["Is it far?", "600 km."]
    assert list_thread(theirs, bob)[1].versions.count == 2


def test_importing_twice_doubles_nothing_and_says_so(alice, bob):
    both = as_json(chatgpt_conversation(), claude_conversation())
    assert bring(alice, both).added == 2
    second = bring(alice, as_zip(both))
    assert (second.added, second.known, second.failed) == (0, 2, 0)
    assert Conversation.objects.count() == 2
    assert bring(bob, both).added == 2, "another person's are their own"
    talk = Conversation.objects.filter(owner=alice).first()
    assert talk is not None
    deletion.delete_conversation(alice, talk.pk)
    third = bring(alice, both)
    assert (third.added, third.known) == (1, 1), "what was deleted may come again"


def test_a_job_that_runs_again_after_a_crash_counts_what_it_brought(alice):
    made = read(alice, as_json(chatgpt_conversation(), claude_conversation()))
    services.start(alice, made.pk)
    made.refresh_from_db()
    jobs.run(str(made.job_id))
    Import.objects.filter(pk=made.pk).update(state=Import.State.IMPORTING, added=0)
    storage.store(made.pk, io.BytesIO(as_json(chatgpt_conversation(), claude_conversation())))
    again = jobs.enqueue(services.BRING, {"import_id": str(made.pk)}, alice.pk)
    Import.objects.filter(pk=made.pk).update(job_id=again.pk)
    jobs.run(str(again.pk))
    made.refresh_from_db()
    assert (made.added, made.known, Conversation.objects.count()) == (2, 0, 2)
    assert not storage.path_of(made.pk).exists()


@pytest.mark.parametrize("broken", [
    {"mapping": {}}, {"mapping": []}, {"mapping": {"a": None}}, {"mapping": {"a": {"parent": "a"}}},
    {"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}}, {"chat_messages": None, "uuid": 7},
    {"chat_messages": [1, None, []], "uuid": "x"}, {"format": "parley.conversation", "version": 99},
    {"format": "parley.conversation", "version": "1"}, {"title": "no messages"},
    {"mapping": {"a": {"message": {"author": [], "content": {"parts": {"x": 1}}}}}},
], ids=str)  # fmt: skip
def test_one_that_cannot_be_taken_does_not_keep_the_others_away(alice, broken):
    done = bring(alice, as_json(broken, chatgpt_conversation()))
    assert (done.added, done.failed) == (1, 1)
    assert done.failures[0]["reason"]


@pytest.mark.parametrize(("content", "says"), [
    (b"", "damaged"), (b"hello", "damaged"), (b'[{"mapping": ', "damaged"),
    (b"\xff\xfe[\x00]\x00", "damaged"), (b"[]", "no conversations"),
    (b"[1, 2]", "no conversations"), (b'"text"', "no conversations"),
    (b'{"a":' * 200, "too deeply"),
    (as_zip(b"[]", "other.json"), "no conversations.json"), (as_zip(b"[]")[:-30], "damaged"),
    (b"PK\x03\x04" + b"\0" * 60, "damaged"),
], ids=lambda value: str(value)[:12])  # fmt: skip
def test_what_is_no_export_is_refused_in_words(
    alice, content, says, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        made = read(alice, content)
    assert made.state == Import.State.FAILED
    assert says in made.reason
    assert not storage.path_of(made.pk).exists()


def test_a_zip_bomb_is_stopped(alice, settings):
    settings.PARLEY_MAX_IMPORT_MB = 1
    made = read(alice, as_zip(b"[" + b" " * 60_000_000 + b"]"), "bomb.zip")
    assert made.state == Import.State.FAILED
    assert "unpacks to more" in made.reason


def test_a_locked_archive_and_one_of_countless_names_are_refused(alice):
    locked = bytearray(as_zip(as_json(chatgpt_conversation())))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := locked.find(signature, at + 1)) >= 0:
            locked[at + flags] |= 1
    assert "password" in read(alice, bytes(locked)).reason
    swollen = bytearray(as_zip(b"[]"))
    end = swollen.rfind(b"PK\x05\x06")
    swollen[end + 12 : end + 16] = (500_000_000).to_bytes(4, "little")
    assert "damaged" in read(alice, bytes(swollen)).reason


def test_a_file_too_large_is_not_stored(alice, settings, tmp_path):
    settings.PARLEY_MAX_IMPORT_MB = 1
    settings.IMPORTS_ROOT = tmp_path
    with pytest.raises(FileTooLarge, match="larger than this server takes"):
        services.upload(alice, io.BytesIO(b" " * 1_100_000), "big.json")
    assert not Import.objects.exists()
    assert not any(tmp_path.iterdir())


def test_a_conversation_too_large_is_passed_over_in_flat_memory():
    """The builder lets go of it; what follows is read."""
    huge = {"title": "x", "mapping": {}, "rest": ["y" * 1_000_000] * 40}
    content = as_json(huge, {"title": "after"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pieces = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
    first, second = read_items(pieces)
    assert isinstance(first, Unreadable)
    assert second == {"title": "after"}
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 300, f"{grown} MB"


def test_one_text_without_an_end_is_not_gathered():
    def endless():
        yield b'[{"title": "'
        while True:
            yield b"x" * 65_536

    with pytest.raises(Unreadable):
        list(read_items(endless()))


def test_any_cut_of_the_bytes_reads_the_same():
    content = as_json(chatgpt_conversation(), claude_conversation())
    whole = list(read_items([content]))
    dice = random.Random(7)
    for _round in range(20):
        cuts = sorted(dice.sample(range(len(content)), 9))
        pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        assert list(read_items(pieces)) == whole


def test_every_question_has_an_answer_and_the_reverse(alice):
    """A question nobody answered, two in a row, an assistant who begins."""
    say = chatgpt_message
    nodes = [
        chatgpt_node("r", None, ["hello"], None),
        chatgpt_node("hello", "r", ["q1"], say("assistant", ["How can I help?"])),
        chatgpt_node("q1", "hello", ["q2"], say("user", ["One?"])),
        chatgpt_node("q2", "q1", [], say("user", ["Two?"])),
    ]
    item = chatgpt_conversation() | {
        "mapping": {node["id"]: node for node in nodes}, "current_node": "q2"
    }  # fmt: skip
    bring(alice, as_json(item))
    talk = Conversation.objects.get()
    shown = list_thread(talk, alice)
    assert [it.message.role for it in shown] == ["user", "assistant"] * 3
    assert [it.message.text for it in shown] == ["…", "How can I help?", "One?", "", "Two?", ""]
    assert shown[-1].message.status == "interrupted"
    assert "no answer" in shown[-1].data["notice"]
    assert talk.leaf_id == shown[-1].message.pk
    chat.start_turn(alice, talk.pk, "Can one go on?")


def test_an_answer_with_many_branches_does_not_grow_beyond_bounds(alice):
    """A comb: each tooth repeats all of the answer before it."""
    say = chatgpt_message
    tree = {"q": chatgpt_node("q", None, ["a0"], say("user", ["Why?"]))}
    for n in range(3000):
        before = f"a{n - 1}" if n else "q"
        tree[f"a{n}"] = chatgpt_node(f"a{n}", before, [], say("assistant", ["word " * 200]))
        tree[f"t{n}"] = chatgpt_node(f"t{n}", f"a{n}", [], say("user", ["?"]))
    done = bring(alice, as_json(chatgpt_conversation() | {"mapping": tree, "current_node": "q"}))
    assert (done.added, done.failed) == (0, 1)
    assert "too large" in done.failures[0]["reason"]


def test_stopped_before_it_begins_and_forgotten_after(alice):
    made = services.upload(alice, io.BytesIO(as_json(chatgpt_conversation())), "c.json")
    services.discard(alice, made.pk)
    jobs.run(str(made.job_id))
    made.refresh_from_db()
    assert made.state == Import.State.CANCELLED
    assert Job.objects.get(pk=made.job_id).status == "cancelled"
    with pytest.raises(ImportRefused):
        services.start(alice, made.pk)
    services.discard(alice, made.pk)
    assert not Import.objects.exists()


def test_imports_are_each_persons_own(alice, bob):
    made = read(alice, as_json(chatgpt_conversation()))
    for attempt in (services.start, services.discard):
        with pytest.raises(Http404):
            attempt(bob, made.pk)


def test_what_nobody_started_goes_after_a_day(alice):
    made = read(alice, as_json(chatgpt_conversation()))
    assert storage.remove_old_imports() == 0
    Import.objects.filter(pk=made.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert storage.remove_old_imports() == 1
    assert not storage.path_of(made.pk).exists()


def test_over_the_api(alice, bob, api_for):
    api = api_for(alice)
    content = io.BytesIO(as_zip(as_json(claude_conversation())))
    content.name = "export.zip"
    sent = api.upload("/imports", file=content)
    assert sent.status_code == 202, sent.content
    jobs.run(sent.json()["job_id"])
    seen = api.get(f"/imports/{sent.json()['id']}").json()
    assert (seen["state"], seen["conversations"], seen["messages"]) == ("ready", 1, 4)
    assert seen["found"][0]["source"] == "claude"
    started = api.post(f"/imports/{seen['id']}/start")
    assert started.status_code == 202
    jobs.run(started.json()["job_id"])
    assert api.get(f"/imports/{seen['id']}").json()["added"] == 1
    assert api_for(bob).get(f"/imports/{seen['id']}").status_code == 404
    assert api.delete(f"/imports/{seen['id']}").status_code == 204
    assert api.get("/imports").json() == []
    assert Conversation.objects.count() == 1


def test_parts_of_a_split_archive_are_all_read(alice):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("export/conversations-000.json", as_json(chatgpt_conversation()))
        archive.writestr("export/conversations-001.json", as_json(chatgpt_conversation("other")))
        lines = [json.dumps(claude_conversation()), json.dumps(claude_conversation("1" * 36))]
        archive.writestr("conversations.jsonl", "\n".join(lines))
    assert bring(alice, packed.getvalue(), "all.zip").added == 4
