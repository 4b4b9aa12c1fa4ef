"""Who may open a socket, follow a stream and stop a turn, and for how long."""

import asyncio

import pytest
from django.contrib.sessions.models import Session

from accounts.services import share, unshare
from chat.live import guard as guard_module
from chat.live.visitors import Visitor
from chat.models import Turn
from chat.retention import deletion
from chat.services import start_turn
from events import jobs, leases, log
from knowledge.models import Document, Source
from knowledge.services import create_collection
from observability.db import run_sync
from security.ids import new_id
from tests.support.processes import sign_in

from .stage import ScriptedAgent, Socket, play, running, socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(guard_module, "LOOK_SECONDS", 0.1)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"null",
        b"http://evil.example",
        b"http://localhost.evil.example",
        b"http://evil.localhost",
        b"http://notlocalhost",
        b"http://localhost:81",
        b"https://localhost",
        b"http://localhost/",
        b"http://localhost@evil.example",
        b"http://localhost, http://evil.example",
        b"http://LOCALHOST",
    ],
)
def test_s07_other_pages_open_no_socket(alice, origin):
    async def scenario():
        tab = await Socket(await run_sync(sign_in, alice), origin=origin).open()
        assert not tab.is_open

    play(scenario)


def test_strangers_and_disabled_people_open_no_socket(alice):
    async def scenario():
        assert not (await Socket("").open()).is_open
        session = await run_sync(sign_in, alice)
        alice.is_active = False
        await run_sync(alice.save)
        assert not (await Socket(session).open()).is_open

    play(scenario)


def test_nobody_follows_or_stops_anothers_turn(alice, bob):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent), socket(bob) as tab:
            turn = await run_sync(start_turn, alice, None, "Private?")
            await agent.held.wait()
            for frame in (
                {"type": "subscribe", "stream": str(turn.pk), "after": 0},
                {"type": "turn.stop", "turn_id": str(turn.pk)},
                {"type": "turn.start", "text": "x", "conversation": str(turn.conversation_id)},
            ):
                await tab.send(**frame)
                refused = await tab.receive()
                assert (refused["type"], refused["problem"]) == ("refused", "not-found")

    play(scenario)


def test_a_grant_opens_a_stream_and_its_end_closes_it(alice, bob):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent), socket(bob) as tab:
            turn = await run_sync(start_turn, alice, None, "Shared?")
            talk = turn.conversation
            await run_sync(share, talk, bob, "reader", by=alice)
            await agent.held.wait()
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            await tab.until("text_delta")
            await run_sync(unshare, talk, bob, by=alice)
            assert (await tab.until("reload"))["stream"] == str(turn.pk)
            agent.go_on.set()
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            assert (await tab.until("refused"))["problem"] == "not-found"
            assert tab.text(str(turn.pk)) == agent.words[0]

    play(scenario)


@pytest.mark.parametrize("how", ["signed out", "disabled", "password changed"])
def test_s09_whoever_may_not_be_here_is_turned_out(alice, how):
    def turn_out():
        if how == "signed out":
            Session.objects.all().delete()
        elif how == "disabled":
            alice.is_active = False
            alice.save()
        else:
            alice.set_password("another pass phrase")
            alice.save()

    async def scenario():
        tab = await Socket(await run_sync(sign_in, alice)).open()
        await run_sync(turn_out)
        output = await tab.communicator.receive_output(timeout=5)
        assert output == {"type": "websocket.close", "code": 4401}

    play(scenario)


def test_s09_who_is_slow_to_leave_is_turned_out_all_the_same(db, monkeypatch):
    """The guard does not wait for them, and does not leave it half done."""
    monkeypatch.setattr(guard_module, "ACT_SECONDS", 0.01)
    gone = asyncio.Event()

    class Slow:
        visitor = Visitor(new_id(), "no such session", "")

        def followed(self):
            return set()

        async def turn_out(self):
            await asyncio.sleep(0.3)
            gone.set()

    async def scenario():
        guard, slow = guard_module.Guard(), Slow()
        guard.watch(slow)
        await gone.wait()
        guard.leave(slow)

    play(scenario)


def test_s09_a_frame_after_signing_out_does_nothing(alice, monkeypatch):
    monkeypatch.setattr(guard_module, "LOOK_SECONDS", 60)

    async def scenario():
        tab = await Socket(await run_sync(sign_in, alice)).open()
        await run_sync(Session.objects.all().delete)
        await tab.send(type="turn.start", text="Still me?")
        assert (await tab.communicator.receive_output(timeout=5))["code"] == 4401
        assert not await run_sync(Turn.objects.exists)

    play(scenario)


def test_a_deleted_conversation_stops_for_those_who_follow(alice):
    async def scenario():
        agent = ScriptedAgent(hold_after=1)
        async with running(agent), socket(alice) as tab:
            accepted = await tab.ask("Why?")
            await tab.until("text_delta")
            await run_sync(deletion.delete_conversation, alice, accepted["conversation_id"])
            await tab.until("turn_stopped", "reload")

    play(scenario)


def test_a_job_is_followed_by_its_owner_only(alice, bob):
    def work():
        job = jobs.enqueue("x.y", {}, owner_id=alice.pk)
        claim = leases.claim_one(job.pk, "worker")
        log.append(job.pk, claim.fence, [("job_progress", {"done": 1})])
        log.append(job.pk, claim.fence, [("job_succeeded", {})], close=True)
        return str(job.pk)

    async def scenario():
        job = await run_sync(work)
        async with socket(alice) as hers, socket(bob) as his:
            for tab in (hers, his):
                await tab.send(type="subscribe", stream=job, after=0)
            await hers.until("job_succeeded")
            assert (await his.receive())["problem"] == "not-found"

    play(scenario)


def test_a_job_is_followed_only_while_its_document_may_be_seen(alice, bob):
    def work():
        collection = create_collection(bob, "Shared")
        share(collection, alice, "editor", by=bob)
        document = Document.objects.create(
            collection=collection,
            source=Source.objects.create(collection=collection, name="Upload"),
            title="Notes",
            file_name="notes.txt",
            media_type="text/plain",
            size=1,
            sha256="0" * 64,
        )
        job = jobs.enqueue("x.y", {}, owner_id=alice.pk, subject_id=document.pk)
        claim = leases.claim_one(job.pk, "worker")
        log.append(job.pk, claim.fence, [("job_progress", {"done": 1})])
        return collection, str(job.pk)

    async def scenario():
        collection, job = await run_sync(work)
        async with socket(alice) as tab:
            await tab.send(type="subscribe", stream=job, after=0)
            await tab.until("job_progress")
            await run_sync(lambda: unshare(collection, alice, by=bob))
            await tab.until("reload")

    play(scenario)
