"""People who are disabled or deleted while their jobs and turns run."""

import time
from pathlib import Path

import pytest
from django.http import Http404
from django.urls import reverse

from accounts import departures, services
from accounts.models import Grant, User
from agents.models import Agent
from chat import services as chat
from chat.models import Conversation, Message, Turn
from events import jobs
from events.models import Event, Job, Stream
from knowledge import services as knowledge
from knowledge.models import Chunk, Collection, Document
from observability.db import run_sync
from tests.chat.stage import ScriptedAgent, play, running, socket
from tests.chat.test_scrubbing import tables_with
from tests.knowledge.conftest import run_job
from tests.knowledge.files import as_stream
from tests.knowledge.test_atomicity import finish, start_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"


def files(settings):
    return [path for path in Path(settings.FILES_ROOT).rglob("*") if path.is_file()]


async def until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not await run_sync(true):
        assert time.monotonic() < deadline


def is_over(turn):
    return lambda: Stream.objects.filter(pk=turn.pk, state="closed").exists()


def test_s10_what_a_disabled_person_runs_is_stopped_and_marked(alice):
    shelf = knowledge.create_collection(alice, "Shelf")
    document, _ = knowledge.add_document(alice, shelf, as_stream("words"), "a.txt")
    turn = chat.start_turn(alice, None, "Numbers?")
    waiting = jobs.enqueue("no.such.task", {}, alice.pk)
    agent = ScriptedAgent(hold_after=5)

    async def scenario():
        async with running(agent), socket(alice) as tab:
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            await tab.until("text_delta")
            began = time.monotonic()
            await run_sync(services.disable, alice)
            await until(is_over(turn))
            assert (await tab.communicator.receive_output(timeout=10))["type"]
            assert time.monotonic() - began < 10  # within two seconds on a calm machine
            assert agent.closed.is_set()

    play(scenario)
    turn.refresh_from_db()
    assert (turn.status, turn.answer.status) == ("stopped", "stopped")
    assert turn.answer.text
    for job in Job.objects.filter(owner_id=alice.pk):
        assert job.status == Job.Status.CANCELLED
    document.refresh_from_db()
    assert document.status == Document.Status.FAILED
    waiting.refresh_from_db()
    assert waiting.finished_at


@pytest.mark.processes
def test_s10_a_running_job_of_a_disabled_person_stops_at_its_next_check(alice):
    shelf = knowledge.create_collection(alice, "Shelf")
    document, _ = knowledge.add_document(alice, shelf, as_stream("# A\n\nOne."), "a.md")
    worker = start_worker(document, kill_before="replace_chunks")
    assert worker.stdout.readline() == "here\n"
    services.disable(alice)
    worker.stdin.write("\n")
    finish(worker)
    assert Job.objects.get(pk=document.job_id).status == Job.Status.CANCELLED
    assert not Chunk.objects.exists()


@pytest.mark.processes
def test_f33_nothing_of_a_deleted_person_comes_back(alice, bob, settings):
    """A worker is about to store passages and a runner to store an answer when alice goes."""
    shelf = knowledge.create_collection(alice, "Shelf")
    services.share(shelf, bob, "editor", by=alice)
    indexed, _ = knowledge.add_document(alice, shelf, as_stream("# A\n\nOne."), "a.md")
    run_job(indexed)
    document, _ = knowledge.add_document(alice, shelf, as_stream("# B\n\nTwo."), "b.md")
    Agent.objects.create(owner=alice, name="Scribe", slug="scribe")
    turn = chat.start_turn(alice, None, "Numbers?")
    services.share(turn.conversation, bob, "reader", by=alice)
    gone = [str(thing.pk) for thing in (alice, shelf, indexed, document, turn, turn.conversation)]
    gone += [str(indexed.job_id), str(document.job_id), str(turn.answer_id)]
    worker = start_worker(document, kill_before="replace_chunks")
    assert worker.stdout.readline() == "here\n"
    agent = ScriptedAgent(hold_after=5)

    async def scenario():
        async with running(agent):
            await agent.held.wait()
            await run_sync(departures.delete_user, alice)
            agent.go_on.set()
            await agent.closed.wait()

    play(scenario)
    worker.stdin.write("\n")
    finish(worker)
    assert not User.objects.filter(pk=alice.pk).exists()
    found = {pk: tables_with(pk) for pk in gone}
    left = {table for tables in found.values() for table in tables}
    assert left == {"knowledge_deleteddocument"}
    for model in (Stream, Event, Job, Grant, Message, Turn, Conversation, Collection, Document):
        assert not model.objects.exists(), model
    assert not Agent.objects.filter(slug="scribe").exists()
    assert files(settings) == []


def test_what_others_own_stays(alice, bob, admin, settings):
    """Documents in a shared collection, an answer in a shared conversation, built-in agents."""
    shelf = knowledge.create_collection(bob, "Bob's")
    services.share(shelf, alice, "editor", by=bob)
    document, _ = knowledge.add_document(alice, shelf, as_stream("words"), "a.txt")
    conversation = chat.create_conversation(bob, title="Bob's")
    services.share(conversation, alice, "editor", by=bob)
    turn = chat.start_turn(alice, conversation.pk, "Numbers?")
    builtin = Agent.objects.create(owner=alice, name="Documents", slug="d", is_builtin=True)
    jobs.enqueue("no.such.task", {}, alice.pk)
    departures.delete_user(alice)
    document.refresh_from_db()
    assert document.added_by is None
    assert len(files(settings)) == 1
    assert Job.objects.get().owner_id is None
    assert Message.objects.get(pk=turn.answer_id).status == Message.Status.STOPPED
    assert not Turn.objects.exists()
    builtin.refresh_from_db()
    assert builtin.owner == admin
    departures.delete_user(alice)


def test_an_upload_that_comes_too_late_is_refused_and_leaves_no_file(alice, bob, settings):
    shelf = knowledge.create_collection(alice, "Shelf")
    services.share(shelf, bob, "editor", by=alice)
    departures.delete_user(alice)
    with pytest.raises(Http404):
        knowledge.add_document(bob, shelf, as_stream("words"), "a.txt")
    assert files(settings) == []
    assert not Document.objects.exists()


def test_the_administration_disables_and_deletes_in_the_same_way(admin, alice, client):
    client.force_login(admin)
    job = jobs.enqueue("no.such.task", {}, alice.pk)
    place = reverse("admin:accounts_user_change", args=[alice.pk])
    form = client.get(place).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value not in (None, [])}
    values |= {
        f"{prefix}-{name}_FORMS": 0
        for prefix in ("memberships", "api_tokens")
        for name in ("TOTAL", "INITIAL")
    }
    values.pop("is_active")
    assert client.post(place, values).status_code == 302
    job.refresh_from_db()
    assert job.status == Job.Status.CANCELLED
    conversation = chat.create_conversation(bob := User.objects.create_user("b@example.org"))
    services.share(conversation, alice, "reader", by=bob)
    knowledge.create_collection(alice, "Shelf")
    place = reverse("admin:accounts_user_delete", args=[alice.pk])
    assert client.post(place, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Collection.objects.exists()
    assert not Grant.objects.exists()
