"""Every frame of the socket × every member of the cast, and what another's id looks like there."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from chat.live.consumers import ChatConsumer
from chat.services import create_conversation
from events.hub import current_hub
from observability.db import run_sync
from tests.chat.stage import Socket
from tests.permissions.frames import FRAMES, GONE, NOTED, QUIET, TAKEN, Frame
from tests.support.world import CANARY, OUTSIDERS, SIGNED_IN, World, random_ids

pytestmark = pytest.mark.django_db(transaction=True)
Said = list[dict[str, Any]]


def filled(value: Any, ids: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    return value.format(**ids) if isinstance(value, str) else value


async def tell(tab: Socket, frame: Frame, ids: dict[str, Any]) -> Said:
    """The frames that came between this one and the answer to a ping after it, but for news: they
    may come at any time."""
    before = len(tab.frames)
    await tab.send(**{name: filled(value, ids) for name, value in frame.body.items()})
    await tab.send(type="ping")
    await tab.until("pong")
    if frame.kind in {"subscribe", "turn.start"}:
        for pump in {f["stream"] for f in tab.frames if "stream" in f}:
            await tab.send(type="unsubscribe", stream=pump)
    return [said for said in tab.frames[before:] if said["type"] != "changed"]


def news_of(tab: Socket, conversation_id: Any) -> Said:
    news = (said for said in tab.frames if said["type"] == "changed")
    return [said for said in news if said["conversation"] == str(conversation_id)]


def outcome(said: Said) -> str:
    for frame in said:
        if frame["type"] == "refused":
            return str(frame["problem"])
        if frame["type"] in {TAKEN, NOTED}:
            return str(frame["type"])
    return QUIET


def test_every_frame_has_a_row():
    assert {frame.kind for frame in FRAMES} == set(ChatConsumer()._handlers)


def test_every_frame_is_answered_as_the_table_says(world: World):
    wrong: list[str] = []

    async def act_as(cast: str, column: int) -> None:
        own = await run_sync(create_conversation, world.people[cast])
        ids = world.ids | {"own": own.pk}
        nothing = ids | random_ids() | {"agent": "nobody"}
        tab = await Socket(world.sessions[cast]).open()
        assert tab.is_open, cast
        for row in FRAMES:
            said = await tell(tab, row, ids)
            if outcome(said) != row.answers[column]:
                wrong.append(f"{row.body} as {cast}: {outcome(said)}, not {row.answers[column]}")
            guessed = await tell(tab, row, nothing)
            if row.answers[column] == GONE and said != guessed:
                wrong.append(f"{row.body} as {cast}: {said}, for a random id {guessed}")
        await tab.close()
        if cast in OUTSIDERS and CANARY in json.dumps(tab.frames):
            wrong.append(f"{cast} heard the canary")
        if cast in OUTSIDERS and news_of(tab, world.ids["conversation_id"]):
            wrong.append(f"{cast} heard news of another's conversation")

    async def scenario() -> None:
        for column, cast in enumerate(SIGNED_IN):
            await act_as(cast, column)
        await current_hub().close()

    async_to_sync(scenario)()
    assert not wrong, "\n".join(wrong)
