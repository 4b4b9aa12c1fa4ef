"""Who hears that a conversation changed: everybody who may see it, and nobody else."""

import asyncio

import pytest

from accounts.models import Grant
from accounts.services import everyone, share, unshare
from chat import services
from chat.live.audience import readers_of
from chat.models import Conversation
from chat.retention import deletion
from chat.sidebar import folders
from events import doorbell
from observability.db import run_sync
from observability.doorbell import connection
from security.ids import new_id

from .stage import play, socket

pytestmark = pytest.mark.django_db(transaction=True)


async def listening(*tabs):
    """Every tab has asked for changes, and this process hears what is published."""
    for tab in tabs:
        await tab.send(type="changes")
        assert (await tab.until("changes"))["version"]
    async with asyncio.timeout(20):
        while not dict(connection().pubsub_numsub(doorbell.NOTICES))[doorbell.NOTICES]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def heard(tab):
    return [(f["what"], f["conversation"]) for f in tab.frames if f["type"] == "changed"]


async def quiet(tab):
    """Whatever was on its way to this tab before the answer to a ping has arrived."""
    await tab.send(type="ping")
    await tab.until("pong")


def test_every_change_is_told_in_the_other_tab(alice):
    def make():
        made = services.create_conversation(alice, "Trains")
        folder = folders.create_folder(alice, "Travel")
        return made.pk, folder.pk

    async def scenario():
        pk, folder = await run_sync(make)
        async with socket(alice) as tab:
            await listening(tab)
            turn = await run_sync(services.start_turn, alice, pk, "Trains or planes?")
            assert (await tab.until("changed"))["turn"] == str(turn.pk)
            for act, *arguments in [
                (services.rename_conversation, pk, "Planes"),
                (lambda me, it: services.pin_conversation(me, it, is_pinned=True), pk),
                (folders.move_conversation, pk, folder),
                (folders.rename_folder, folder, "Trips"),
                (deletion.delete_conversation, pk),
                (deletion.restore_conversation, pk),
            ]:
                await run_sync(act, alice, *arguments)
                await tab.until("changed")
            told = ["asked", "renamed", "placed", "placed", "folders", "deleted", "restored"]
            assert [what for what, _id in heard(tab)] == told
            assert {it for _what, it in heard(tab)} == {str(pk), None}

    play(scenario)


def test_readers_hear_of_it_and_outsiders_do_not(alice, bob, charlie):
    def make():
        shared = services.create_conversation(alice, "Shared")
        share(shared, bob, Grant.Role.READER, by=alice)
        return shared, services.create_conversation(alice, "Own").pk

    async def scenario():
        shared, own = await run_sync(make)
        async with socket(alice) as owner, socket(bob) as reader, socket(charlie) as stranger:
            await listening(owner, reader, stranger)
            await run_sync(services.rename_conversation, alice, own, "Still mine")
            await run_sync(services.rename_conversation, alice, shared.pk, "For both")
            await reader.until("changed")
            await run_sync(lambda: unshare(shared, bob, by=alice))
            assert (await reader.until("changed"))["what"] == "shared"
            await run_sync(services.rename_conversation, alice, shared.pk, "Mine again")
            while len(heard(owner)) < 3:
                await owner.until("changed")
            for tab in (reader, stranger):
                await quiet(tab)
            assert heard(reader) == [("renamed", str(shared.pk)), ("shared", str(shared.pk))]
            assert heard(stranger) == []
            assert {it for _what, it in heard(owner)} == {str(own), str(shared.pk)}

    play(scenario)


def test_the_audience_are_owner_grantees_and_teams(alice, bob, charlie, team):
    def talk(title):
        return Conversation.objects.create(owner=alice, title=title)

    own, by_name, by_team, public = map(talk, ("own", "by name", "by team", "public"))
    share(by_name, charlie, Grant.Role.READER, by=alice)
    share(by_team, team, Grant.Role.READER, by=alice)
    share(public, everyone(), Grant.Role.READER, by=alice)
    Conversation.objects.filter(pk=public.pk).update(deleted_at="2026-01-01T00:00Z")
    people = {alice.pk, bob.pk, charlie.pk}
    ids = [own.pk, by_name.pk, by_team.pk, public.pk]
    assert readers_of([*ids, new_id()], people) == {
        own.pk: {alice.pk},
        by_name.pk: {alice.pk, charlie.pk},
        by_team.pk: {alice.pk, bob.pk},
        public.pk: people,
    }
    assert readers_of([by_name.pk], {bob.pk}) == {by_name.pk: set()}
