"""Attachments: whose they are before and after they are sent, and when they go."""

import zipfile
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tokens
from accounts.services import share
from agents.history import fitting_history
from chat import services
from chat.attachments import services as attachments
from chat.attachments.services import AttachedFile
from chat.errors import EmptyQuestion, KeyReused, NotAnAnswerable, TooManyAttachments
from chat.exports import documents as exports
from chat.models import Conversation, Message
from chat.retention import deletion
from chat.thread import list_thread
from chat.turns.work import claim_turns
from gateway.embedding.local import local_embedder
from knowledge import retrieval, shelves
from knowledge.errors import FileTooLarge, TooMuchAttached, UploadRefused
from knowledge.models import Collection, Document
from knowledge.selectors import list_collections, list_documents
from knowledge.storage import path_of
from tests.support.attached import attach, attached, picture, read

pytestmark = pytest.mark.django_db
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    settings.FILES_ROOT = tmp_path / "files"
    local_embedder().embed(["warm"])  # making its files outlasts the lease of a job


@pytest.fixture
def offer(alice) -> Document:
    return attached(alice)


def ask(user, *documents, text="What does the roof cost?", conversation=None, **more):
    ids = [document.pk for document in documents]
    return services.start_turn(user, conversation, text, attachments=ids, **more)


def seen_by(user, document) -> bool:
    try:
        return bool(attachments.find(user, document.pk))
    except Http404:
        return False


def client_of(user) -> Client:
    client = Client(raise_request_exception=False)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(user, 'test')[1]}"
    return client


# -- Whose it is -----------------------------------------------------------------------------------


def test_before_it_is_sent_only_who_uploaded_it_sees_it(alice, bob, offer) -> None:
    talk = services.create_conversation(bob)
    share(talk, alice, "editor", by=bob)
    assert seen_by(alice, offer)
    assert not seen_by(bob, offer)
    with pytest.raises(Http404):
        ask(bob, offer)
    assert not Message.objects.exists()


def test_after_that_whoever_sees_the_conversation_does(alice, bob, charlie, offer) -> None:
    talk = services.create_conversation(bob)
    share(talk, alice, "editor", by=bob)
    turn = ask(alice, offer, conversation=talk.pk)
    assert [seen_by(person, offer) for person in (alice, bob, charlie)] == [True, True, False]
    shelf = Collection.objects.get(pk=offer.collection_id)
    assert (shelf.owner, shelf.conversation_id) == (bob, talk.pk)
    assert Message.objects.get(pk=turn.question_id).attachments == [offer.pk]
    alice.is_active = False
    alice.save()
    assert not seen_by(alice, offer)


def test_it_is_in_no_list_and_in_no_search(alice, offer) -> None:
    ask(alice, offer)
    assert not list_collections(alice).exists()
    assert not list_documents(alice).exists()
    assert not retrieval.search(alice, "roof").passages
    assert not retrieval.search(alice, "roof", collections=[offer.collection_id]).passages
    assert retrieval.search_shelves(alice, "roof", [offer.collection_id]).passages
    for act in ("editable_by", "owned_by", "visible_to"):
        assert not getattr(Collection.objects, act)(alice).exists()
    assert not Document.objects.editable_by(alice).exists()


def test_nobody_searches_the_attachment_of_another(alice, bob, offer) -> None:
    assert not retrieval.search_shelves(bob, "roof", [offer.collection_id]).passages


def test_anothers_id_answers_like_a_random_one_everywhere(alice, bob, offer) -> None:
    thief = client_of(bob)
    talk = services.create_conversation(bob)
    nothing = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
    for rest in ("", "/file", "/image"):
        url = "/api/v1/attachments/{}" + rest
        answers = [thief.get(url.format(pk)) for pk in (offer.pk, nothing)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
    assert thief.delete(f"/api/v1/attachments/{offer.pk}").status_code == 404
    for pk in (offer.pk, nothing):
        body = {"text": "What?", "attachments": [str(pk)]}
        turns = f"/api/v1/conversations/{talk.pk}/turns"
        assert thief.post(turns, body, content_type="application/json").status_code == 404
    assert seen_by(alice, offer)


# -- What a question carries -----------------------------------------------------------------------


def test_a_turn_without_attachments_costs_no_query_more(alice, offer) -> None:
    def count(**more) -> int:
        with CaptureQueriesContext(connection) as queries:
            services.start_turn(alice, None, "When?", **more)
        return len(queries)

    plain = count()
    assert count(attachments=[]) == plain
    assert count(attachments=[offer.pk]) > plain


def test_files_alone_are_a_question_named_after_them(alice, offer) -> None:
    turn = ask(alice, offer, attached(alice, picture(), "roof.png"), text=" ")
    assert (turn.conversation.title, turn.question.text) == ("offer.md, roof.png", "")
    (work,) = claim_turns("test", 1, 30.0)
    assert work.task.question == ""
    assert [file.name for file in work.task.attachments] == ["offer.md", "roof.png"]
    Message.objects.filter(pk=turn.answer_id).update(status="complete", text="An offer.")
    services.start_turn(alice, turn.conversation_id, "Is it dear?")
    (later,) = claim_turns("test", 1, 30.0)
    asked, _told = fitting_history(later.task.history, 1000)
    assert asked.text.startswith("I attached these files without a question.")
    with pytest.raises(EmptyQuestion):
        ask(alice, text="")
    with pytest.raises(NotAnAnswerable):
        ask(alice, offer, text="", conversation=turn.conversation_id, parent=turn.question_id)


def test_an_edit_keeps_them_and_so_does_asking_again(alice, offer) -> None:
    turn = ask(alice, offer)
    Message.objects.filter(pk=turn.answer_id).update(status="complete", text="12,400 [1].")
    edited = ask(
        alice,
        offer,
        text="And when?",
        conversation=turn.conversation_id,
        parent=services.Place.ROOT,
    )
    again = services.start_turn(alice, turn.conversation_id, "", question=edited.question_id)
    (question,) = Message.objects.filter(pk=again.question_id)
    assert question.attachments == [offer.pk]
    shown = list_thread(Conversation.objects.get(pk=turn.conversation_id), alice)
    assert [file.name for file in shown[0].attachments] == ["offer.md"]


def test_the_same_key_with_other_files_is_another_question(alice, offer) -> None:
    first = ask(alice, offer, idempotency_key="k")
    assert ask(alice, offer, idempotency_key="k").pk == first.pk
    with pytest.raises(KeyReused):
        ask(alice, attached(alice, name="other.md"), idempotency_key="k")


def test_the_runner_gets_those_of_the_path_its_own_first(alice, bob, offer) -> None:
    turn = ask(alice, offer)
    Message.objects.filter(pk=turn.answer_id).update(status="complete", text="12,400 [1].")
    image = attached(alice, picture(), "roof.png")
    hidden = attached(bob, name="hidden.md")
    later = ask(alice, image, conversation=turn.conversation_id)
    Message.objects.filter(pk=later.question_id).update(attachments=[image.pk, hidden.pk])
    works = {work.claim.stream_id: work for work in claim_turns("me", 10, 30.0)}
    assert works[later.pk].task.attachments == (
        AttachedFile(image.pk, image.collection_id, "roof.png", is_image=True, is_new=True),
        AttachedFile(offer.pk, offer.collection_id, "offer.md", is_image=False, is_new=False),
    )


def test_more_than_ten_are_refused(alice) -> None:
    many = [attach(alice, name=f"{n}.md") for n in range(11)]
    with pytest.raises(TooManyAttachments):
        ask(alice, *many)
    ask(alice, *many[:10])


# -- What is taken ---------------------------------------------------------------------------------


def test_the_api_takes_a_file_and_tells_how_far_it_is(alice) -> None:
    client = client_of(alice)
    file = SimpleUploadedFile("plan.csv", b"day,work\n1,scaffold\n", "text/csv")
    response = client.post("/api/v1/attachments", {"file": file})
    assert response.status_code == 202
    told = response.json()
    assert (told["name"], told["kind"], told["status"]) == ("plan.csv", "document", "queued")
    read(Document.objects.get(pk=told["id"]))
    told = client.get(f"/api/v1/attachments/{told['id']}").json()
    assert (told["status"], told["size"], told["reason"]) == ("ready", 20, "")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (SVG, "logo.svg"), (SVG, "logo.png"), (b"MZ\x90\x00", "setup.exe"), (b"", "empty.txt"),
        (picture(), "really.jpg"), (b"GIF89a/*\x00*/=1;", "script.js"), (b"%PDF-1.7 x", "a.csv"),
    ],
)  # fmt: skip
def test_what_is_not_what_it_says_is_refused_and_leaves_nothing(
    alice, settings, content, name
) -> None:
    with pytest.raises(UploadRefused):
        attach(alice, content, name)
    assert not Document.objects.exists()
    assert not [path for path in settings.FILES_ROOT.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.txt",
        "..\\..\\boot.txt",
        "a\x00b.txt",
        "\u202etxt.exe.txt",
        "x" * 400 + ".txt",
    ],
)
def test_a_name_is_a_label_and_never_a_path(alice, name) -> None:
    document = attached(alice, "words", name)
    assert path_of(document.pk).is_file()
    assert not set("/\\\x00\u202e") & set(document.file_name)
    turn = ask(alice, document)
    response = client_of(alice).get(f"/api/v1/attachments/{document.pk}/file")
    assert response["Content-Disposition"].startswith("attachment")
    assert b"".join(response) == b"words"
    assert exports.as_markdown(alice, turn.conversation_id)


def test_limits_of_a_file_and_of_a_person(alice, settings) -> None:
    settings.PARLEY_MAX_ATTACHMENT_MB = 0
    with pytest.raises(FileTooLarge):
        attach(alice)
    settings.PARLEY_MAX_ATTACHMENT_MB = 1
    settings.PARLEY_ATTACHMENTS_MB = 0
    with pytest.raises(TooMuchAttached, match="space"):
        attach(alice)


def test_an_image_is_shown_as_it_was_drawn_and_runs_nothing(alice) -> None:
    image = attach(alice, picture("navy", (900, 600)), "roof.png")
    client = client_of(alice)
    assert client.get(f"/api/v1/attachments/{image.pk}/image").status_code == 404  # not drawn yet
    read(image)
    told = client.get(f"/api/v1/attachments/{image.pk}").json()
    assert (told["kind"], told["width"], told["height"]) == ("image", 900, 600)
    small = client.get(f"/api/v1/attachments/{image.pk}/image?size=small")
    assert small["Content-Type"] in {"image/png", "image/jpeg"}
    assert small["X-Content-Type-Options"] == "nosniff"
    assert small["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" not in small["Cache-Control"]
    assert "private" in small["Cache-Control"]
    assert client.get(f"/api/v1/attachments/{image.pk}/image?size=huge").status_code == 422


def test_one_that_cannot_be_read_says_why(alice) -> None:
    broken = attached(alice, b"\x89PNG\r\n\x1a\n" + bytes(99), "broken.png")
    told = attachments.find(alice, broken.pk)
    assert (told.status, told.reason) == ("failed", "This file is damaged and cannot be read.")


# -- When it goes ----------------------------------------------------------------------------------


def test_who_may_take_it_away(alice, bob, offer) -> None:
    talk = services.create_conversation(alice)
    share(talk, bob, "editor", by=alice)
    ask(alice, offer, conversation=talk.pk)
    with pytest.raises(PermissionDenied):
        attachments.remove(bob, offer.pk)
    attachments.remove(alice, offer.pk)
    assert not Document.objects.exists()
    assert not Collection.objects.exists()
    (shown, *_rest) = list_thread(Conversation.objects.get(pk=talk.pk), alice)
    assert shown.attachments == []


def test_it_goes_and_comes_back_with_its_conversation(alice, offer) -> None:
    turn = ask(alice, offer)
    deletion.delete_conversation(alice, turn.conversation_id)
    assert not seen_by(alice, offer)
    assert not retrieval.search_shelves(alice, "roof", [offer.collection_id]).passages
    deletion.restore_conversation(alice, turn.conversation_id)
    assert seen_by(alice, offer)
    deletion.delete_conversation(alice, turn.conversation_id)
    long_ago = timezone.now() - deletion.GRACE - timedelta(seconds=1)
    Conversation.objects.filter(pk=turn.conversation_id).update(deleted_at=long_ago)
    deletion.purge_deleted()
    assert not Document.objects.exists()
    assert not Collection.objects.exists()


def test_what_is_never_sent_is_swept(alice, offer) -> None:
    sent = attached(alice, name="sent.md")
    ask(alice, sent)
    old = timezone.now() - shelves.UNSENT - timedelta(hours=1)
    Collection.objects.update(created_at=old)
    assert shelves.remove_unsent() == 1
    assert list(Document.objects.values_list("pk", flat=True)) == [sent.pk]


def test_exports_have_names_and_files(alice, offer, tmp_path) -> None:
    turn = ask(alice, offer)
    assert "*Attached: offer.md*" in exports.as_markdown(alice, turn.conversation_id)
    exports.write_everything(alice, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        (name,) = [name for name in archive.namelist() if name.startswith("attachments/")]
        assert archive.read(name) == path_of(offer.pk).read_bytes()
        assert str(offer.pk) in archive.read("conversations.jsonl").decode()
