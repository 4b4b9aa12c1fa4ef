"""`chat.citing` and the API of passages to edit: how often answers cite them, and nothing else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Grant, User
from accounts.services import share
from chat import services as chat
from chat.citing import count_citations, is_cited
from chat.models import Citation, Conversation
from knowledge.curation import editing
from knowledge.document_versions.history import find_text
from knowledge.document_versions.putting import put_document
from knowledge.models import Collection, Document
from tests.knowledge.conftest import (  # noqa: F401
    AddText,
    _files_apart,
    _ready_to_index,
    add_text,
    handbook,
    run_job,
)
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "# Leave\n\nEvery employee has 25 days.\n\n# Travel\n\nTrains are preferred."


@pytest.fixture
def policy(handbook: Collection, add_text: AddText) -> Document:  # noqa: F811
    return add_text(handbook, TEXT)


def cite(user: User, document: Document, words: str, times: int = 1) -> Conversation:
    conversation = chat.create_conversation(user, title="Leave")
    turn = chat.start_turn(user, conversation.pk, "How?")
    chunk = document.chunks.get(text__contains=words)
    for n in range(times):
        Citation.objects.create(
            message_id=turn.answer_id, document=document, chunk_id=chunk.pk, n=n + 1,
            quote=chunk.text, start=chunk.start, end=chunk.end, title="t",
            version=document.version_number,
        )  # fmt: skip
    return conversation


def test_a_version_that_an_answer_quotes_is_never_pruned(
    alice, policy, settings, django_capture_on_commit_callbacks
):
    """… as long as there is the answer."""
    settings.PARLEY_DOCUMENT_VERSIONS = 1

    def put(text: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            put_document(policy.collection, as_stream(text), "p.md", document=policy)
            policy.refresh_from_db()
            run_job(policy)

    conversation = cite(alice, policy, "25 days")
    for number in range(2, 5):
        put(f"Number {number}.")
    assert set(policy.versions.values_list("number", flat=True)) == {1, 3}
    assert "25 days" in find_text(alice, policy, 1).text
    conversation.delete()
    put("Number 5.")
    assert set(policy.versions.values_list("number", flat=True)) == {4}


def test_answers_are_counted_each_once_by_one_query(alice, bob, policy, api_for) -> None:
    spans = list(policy.chunks.order_by("position").values_list("start", "end"))
    cite(bob, policy, "25 days", times=3)
    cite(alice, policy, "25 days")
    temporary, deleted = cite(alice, policy, "25 days"), cite(alice, policy, "25 days")
    Conversation.objects.filter(pk=temporary.pk).update(ends_at=timezone.now())
    Conversation.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert count_citations(policy.pk, spans) == [2, 0]
    assert len(queries) == 1
    cited = Document.objects.filter(is_cited("pk"))
    assert list(cited) == [policy]

    items = api_for(alice).get(f"/documents/{policy.pk}/curation").json()["items"]
    assert [(item["cited"], item["tokens"]) for item in items] == [(2, 6), (0, 4)]
    share(policy.collection, bob, Grant.Role.READER, by=alice)
    refused = api_for(bob).get(f"/documents/{policy.pk}/curation")
    assert refused.status_code == 403  # a reader is told nothing of what others ask


def test_passages_are_edited_by_programs(alice, policy, api_for) -> None:
    api = api_for(alice)
    place = f"/documents/{policy.pk}/edits"
    (first, second) = policy.chunks.order_by("position")
    made = api.post(place, {"kind": "correct", "passage": str(first.pk), "text": "26 days."})
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["made_by"]) == ("correct", "Alice")
    late = api.post(place, {"kind": "exclude", "passage": str(first.pk)})
    assert (late.status_code, late.json()["type"]) == (409, "urn:parley:problem:edit-conflict")
    silly = api.post(place, {"kind": "split", "passage": str(second.pk), "at": 0})
    assert (silly.status_code, silly.json()["type"]) == (422, "urn:parley:problem:edit-refused")
    assert api.post(place, {"kind": "correct", "text": "x"}).status_code == 422
    added = api.post(place, {"kind": "add", "text": "Ask Bob."}).json()
    texts = [i["text"] for i in api.get(f"/documents/{policy.pk}/curation?limit=2").json()["items"]]
    assert texts == ["Ask Bob.", "26 days."]
    assert api.delete(f"/edits/{added['id']}").status_code == 204
    assert [edit["state"] for edit in api.get(place).json()["items"]] == ["undone", "applied"]
    assert api.get(place + "?state=lost").json()["items"] == []
    page = api.get(f"/documents/{policy.pk}/curation?limit=1").json()
    assert (page["next"], page["items"][0]["edit"]["id"]) == (1, made.json()["id"])


def test_what_is_quoted_of_a_curator_is_shown_as_theirs_alone(alice, policy, client) -> None:
    editing.correct(alice, policy, policy.chunks.get(position=1).pk, "Trains are best.")
    editing.add(alice, policy, None, "A secret of its own.")
    client.force_login(alice)
    chunk = policy.chunks.get(text="Trains are best.")
    place = f"{reverse('chat:passage', args=[policy.pk])}?at={chunk.start}-{chunk.end}"
    shown = client.get(place).content.decode()
    assert "<mark>Trains are best.</mark>" in shown
    assert "secret" not in shown
    assert "Corrected by somebody" in shown
    source = policy.chunks.get(position=1)
    plain = client.get(
        f"{reverse('chat:passage', args=[policy.pk])}?at={source.start}-{source.end}"
    )
    assert "best" not in plain.content.decode()


def test_an_answer_knows_that_a_curator_changed_what_it_quotes(alice, policy) -> None:
    def changed() -> list[bool]:
        rows = Citation.objects.visible_to(alice).with_changes().order_by("pk")
        return [row.has_changed for row in rows]

    cite(alice, policy, "25 days")
    cite(alice, policy, "Trains")
    assert changed() == [False, False]
    edit = editing.correct(alice, policy, policy.chunks.get(position=0).pk, "Now it is 26.")
    assert changed() == [True, False]
    cite(alice, policy, "Now it is 26.")
    assert changed() == [True, False, False]
    editing.undo(alice, edit)
    assert changed() == [False, False, True]
    excluded = editing.exclude(alice, policy, policy.chunks.get(position=1).pk)
    assert changed() == [False, True, True]
    editing.undo(alice, excluded)
    assert changed() == [False, False, True]
