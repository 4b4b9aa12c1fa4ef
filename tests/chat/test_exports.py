"""What leaves with an export: everything of the tree, and only sources the person may see."""

import io
import json
import zipfile

import pytest

from accounts.services import share
from chat import services
from chat.exports.documents import as_json, as_markdown, file_name
from chat.models import Citation, Conversation, Message
from chat.retention import deletion
from knowledge.models import Collection, Document, Source
from security.ids import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(alice) -> Conversation:
    """A question with two answers, the second on show, which cites a document of Alice's."""
    made = services.create_conversation(alice, "差旅: may I fly?")
    question = Message.objects.create(conversation=made, role="user", text="May I fly?")
    Message.objects.create(conversation=made, parent=question, role="assistant", text="First.")
    answer = Message.objects.create(
        conversation=made, parent=question, role="assistant", text="Take the train [1].",
        notice="By the offline answerer.",
    )  # fmt: skip
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    source = Source.objects.create(collection=shelf, kind="upload", name="Uploads")
    document = Document.objects.create(
        collection=shelf, source=source, title="Travel", file_name="t.md",
        media_type="text/markdown", size=1, sha256="0" * 64,
    )  # fmt: skip
    Citation.objects.create(
        message=answer, document=document, chunk_id=new_id(), n=1, quote="Trains\nare preferred.",
        start=0, end=22, title="Travel", heading_path=["Travel", "Means"], page=2,
    )  # fmt: skip
    return made


def test_markdown_is_the_path_on_show_with_its_sources(alice, talk):
    assert as_markdown(alice, talk.pk) == (
        "# 差旅: may I fly?\n\n## You\n\nMay I fly?\n\n## Answer\n\nTake the train [1].\n\n"
        "*By the offline answerer.*\n\n"
        "- [1] Travel › Means, page 2: “Trains are preferred.”\n"
    )


def test_json_has_every_version_and_the_citations(alice, talk):
    told = json.loads(as_json(alice, talk.pk))
    assert (told["format"], told["version"], told["title"]) == (
        "parley.conversation", 1, "差旅: may I fly?",
    )  # fmt: skip
    question, first, second = told["messages"]
    assert first["parent_id"] == second["parent_id"] == question["id"]
    assert [message["text"] for message in told["messages"]][1:] == [
        "First.",
        "Take the train [1].",
    ]
    assert second["citations"][0]["quote"] == "Trains\nare preferred."


def test_what_was_said_meanwhile_and_to_whom_it_was_handed_over(alice, talk):
    answer = talk.messages.get(text="Take the train [1].")
    handed = {"slug": "trains", "name": "Trains", "from_slug": "travel", "from_name": "Travel",
              "reason": "It is about\ntrains."}  # fmt: skip
    answer.steps = [
        {"kind": "note_taken", "data": {"note_id": str(new_id()), "text": "By night."}},
        {"kind": "handed_over", "data": handed | {"call_id": "call_1", "picture": ""}},
    ]
    answer.save()
    _question, first, second = json.loads(as_json(alice, talk.pk))["messages"]
    assert (second["notes"], second["handed_over"]) == (["By night."], [handed])
    assert not {"notes", "handed_over"} & first.keys()
    written = as_markdown(alice, talk.pk)
    assert (
        "> **You added:**\n> By night.\n\n*Handed over to Trains: It is about trains.*" in written
    )


def test_a_reader_takes_no_source_along_that_they_may_not_see(alice, bob, talk):
    share(talk, bob, "reader", by=alice)
    assert "preferred" not in as_markdown(bob, talk.pk)
    assert b"preferred" not in as_json(bob, talk.pk)


def test_names_of_files(talk):
    assert file_name("差旅: may I fly?", talk.pk, "md") == "差旅-may-i-fly.md"
    assert file_name("../../etc/passwd", talk.pk, "md") == "etcpasswd.md"
    assert file_name("???", talk.pk, "json") == f"{talk.pk}.json"


def test_over_the_api(alice, bob, api_for, talk):
    theirs = services.create_conversation(bob, "Bob's")
    share(theirs, alice, "editor", by=bob)
    archived = services.create_conversation(alice, "Old")
    services.archive_conversation(alice, archived.pk, is_archived=True)
    gone = services.create_conversation(alice, "Gone")
    deletion.delete_conversation(alice, gone.pk)
    api = api_for(alice, "read")
    one = api.get(f"/conversations/{talk.pk}/export?format=markdown")
    assert one.headers["Content-Disposition"].startswith("attachment; filename")
    assert one.content.decode().startswith("# 差旅")
    assert api.get(f"/conversations/{talk.pk}/export").json()["id"] == str(talk.pk)
    assert api.get(f"/conversations/{talk.pk}/export?format=exe").status_code == 422
    everything = api.get("/conversations/export")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(everything)))
    lines = archive.read("conversations.jsonl").decode().splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["差旅: may I fly?", "Old"]
    assert [name.split()[-1] for name in archive.namelist()[1:]] == ["差旅-may-i-fly.md", "old.md"]
