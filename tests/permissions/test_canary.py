"""What Alice's team wrote reaches no prompt, event, citation, cache or log of anybody else's."""

import json
import logging
from typing import Any

import pytest
import redis
from django.conf import settings

from accounts.models import User
from accounts.services import share, unshare
from agents.loop import run_agent
from agents.models import Agent
from chat import services as chat
from chat.models import Citation, Conversation, Message, Turn
from events import leases
from events import log as event_log
from gateway.models import Endpoint
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from knowledge.models import Collection
from observability.db import run_sync
from tests.chat.stage import play, running, socket
from tests.support.model_server import ModelServer, Script, model_server
from tests.support.world import CANARY, World

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)
QUESTIONS = ("Which merger closes on 14 May?", "合并何时完成？", f"Is it true that {CANARY[:20]}…?")


@pytest.fixture
def model(world: World, model_server: ModelServer) -> ModelServer:
    """Every agent asks a scripted server on loopback, which keeps what it was asked."""
    leases.delete([world.ids["turn_id"], world.rival_ids["turn_id"]])  # nobody answers these
    forget_routes()
    endpoint = Endpoint.objects.create(name="scripted", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    owner = world.people["owner"]
    Agent.objects.create(owner=owner, name="Documents", slug="documents", is_builtin=True)
    model_server.default = Script(text="They say so [1]. And that [2].")
    yield model_server
    forget_routes()


async def answered(turn: Turn) -> str:
    """The end of the turn, as its owner's socket tells it."""
    async with socket(turn.requested_by) as tab:
        await tab.send(type="subscribe", stream=str(turn.pk), after=0)
        end = await tab.until("message_completed", "turn_stopped", "turn_failed", "refused")
    return str(end.get("kind", end["type"]))


def prompts(model: ModelServer) -> str:
    return json.dumps(model.chat_requests, ensure_ascii=False)


def kept(turns: list[Turn]) -> str:
    """All that is stored about these turns."""
    rows: list[Any] = [row for turn in turns for row in event_log.read_all(turn.pk)]
    answers = [turn.answer_id for turn in turns]
    rows += Message.objects.filter(pk__in=answers).values_list("text", "steps", "notice")
    rows += Citation.objects.filter(message__in=answers).values_list("quote", "title")
    return repr(rows)


def test_the_canary_sings_in_no_prompt_event_citation_cache_or_log(
    world: World, model: ModelServer, caplog
):
    """Asked by a stranger and by a rival, in every way there is to point at it."""
    own, theirs = world.people["owner"], [world.people["stranger"], world.people["rival"]]
    client = redis.Redis.from_url(settings.REDIS_URL)
    caplog.set_level(logging.DEBUG)

    async def ask(user: User, text: str, **more: Any) -> Turn:
        turn = await run_sync(lambda: chat.start_turn(user, None, text, **more))
        assert await answered(turn) == "message_completed"
        return turn

    async def scenario() -> None:
        async with running(run_agent):
            turns = [await ask(user, text) for user in theirs for text in QUESTIONS[:2]]
            assert CANARY not in prompts(model) + await run_sync(kept, turns)
            assert len(model.chat_requests) == len(turns)
            # One's own words come back; what they were a part of does not.
            turn = await ask(theirs[0], QUESTIONS[2])
            said = prompts(model) + await run_sync(kept, [turn])
            assert "closes on 14 May" not in said.replace(QUESTIONS[0], "")
            heard = [await ask(own, text) for text in QUESTIONS[:2]]
            assert CANARY in prompts(model)
            assert CANARY in await run_sync(kept, heard)
        await close_pool()

    play(scenario)
    caches = b"".join(everything_in(client))
    assert CANARY.encode() not in caches
    assert QUESTIONS[0].encode() not in caches
    lines = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert caplog.records
    assert CANARY not in lines


def test_s51_a_prompt_holds_no_secret_and_offers_no_tool(world: World, model: ModelServer):
    """A system prompt that leaks in full gives nothing away: not even who asks."""
    editor = world.people["editor"]
    scribe = Agent.objects.get(pk=world.ids["agent_id"])
    turn = chat.start_turn(editor, None, QUESTIONS[0], agent=scribe.slug)

    async def scenario() -> None:
        async with running(run_agent):
            assert await answered(turn) == "message_completed"
        await close_pool()

    play(scenario)
    (request,) = model.chat_requests
    roles = [message["role"] for message in request["messages"]]
    assert roles == ["system", "user"]
    assert "tools" not in request
    system, question = (message["content"] for message in request["messages"])
    assert system.endswith(CANARY), "an agent's instructions come after the house's rules"
    assert CANARY in question
    database = settings.DATABASES["default"]
    secrets = [
        settings.SECRET_KEY, settings.REDIS_URL, str(database["HOST"]), database["NAME"],
        str(settings.PARLEY_HOME.path), world.bearers["editor"], world.sessions["editor"],
        model.url, editor.email, editor.password, str(editor.pk), *map(str, world.ids.values()),
    ]  # fmt: skip
    said = json.dumps(request)
    assert [secret for secret in secrets if len(secret) > 5 and secret in said] == []


def everything_in(client: "redis.Redis") -> list[bytes]:
    return [bytes(key) + (client.dump(key) or b"") for key in client.scan_iter()]


def test_s03_a_question_is_answered_with_the_rights_of_the_moment(world: World, model: ModelServer):
    """Asked while allowed, run when no longer: passages, instructions and history stay away."""
    owner, editor, reader = (world.people[cast] for cast in ("owner", "editor", "reader"))
    shelf = Collection.objects.get(pk=world.ids["collection_id"])
    scribe = Agent.objects.get(pk=world.ids["agent_id"])
    talk = Conversation.objects.get(pk=world.ids["conversation_id"])
    searching = chat.start_turn(editor, None, QUESTIONS[0], collections=[shelf.pk])
    instructed = chat.start_turn(reader, None, "Hello?", agent=scribe.slug)
    following = chat.start_turn(editor, talk.pk, "And what else did we say?")
    demoted = chat.start_turn(editor, talk.pk, "And again?")
    for person, thing in ((editor, shelf), (reader, shelf), (reader, scribe)):
        unshare(thing, person, by=owner)
    share(talk, editor, "reader", by=owner)

    async def scenario() -> None:
        async with running(run_agent):
            for turn in (searching, instructed):
                assert await answered(turn) == "message_completed"
            for turn in (following, demoted):
                assert await answered(turn) == "turn_stopped"
        await close_pool()

    play(scenario)
    assert len(model.chat_requests) == 2
    assert CANARY not in prompts(model).replace(QUESTIONS[0], "")
    assert CANARY not in kept([searching, instructed, following, demoted])


def test_s03_an_answer_ends_when_its_asker_is_sent_away(world: World, model: ModelServer):
    """An editor who is speaking with the model when the conversation is taken away."""
    owner, editor = world.people["owner"], world.people["editor"]
    talk = Conversation.objects.get(pk=world.ids["conversation_id"])
    model.default = Script(text="word " * 50, hang_after=10)
    turn = chat.start_turn(editor, talk.pk, "A long story?")

    async def scenario() -> None:
        async with running(run_agent), socket(owner) as tab:
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            await tab.until("text_delta")
            await run_sync(lambda: unshare(talk, editor, by=owner))
            await tab.until("turn_stopped")
        await close_pool()

    play(scenario)
    assert model.wait_for(lambda server: server.disconnects == 1)
