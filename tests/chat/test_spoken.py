"""What an answer says of itself is said in the language of whoever reads it, when they read it."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import translation

from accounts.models import User
from agents.types import EndpointSwitched, Finished, TextDelta, UsageRecorded
from chat.exports.documents import as_json, as_markdown
from chat.models import Message, Turn
from chat.services import start_turn
from chat.sharing.links import make_link
from chat.thread import list_thread
from events.hub import current_hub
from gateway.errors import EndpointTimeout, UpstreamFailed
from observability.db import run_sync
from security.sentences import Sentence, stored, together
from tests.chat.stage import play, running, socket
from tests.chat.test_runner import finished
from tests.support.cast import Api

pytestmark = pytest.mark.django_db(transaction=True)

FAILURE = "The model's server did not answer in time. It did not begin to answer."
ENGLISH = f"The model could not answer, so your documents are quoted. {FAILURE}"


@pytest.fixture
def chinese(alice) -> User:
    alice.language = "zh-hans"
    alice.save()
    return alice


async def switching(task):
    """An agent whose model was silent, so that the documents are quoted."""
    said = EndpointTimeout(Sentence("no_answer")).said
    yield EndpointSwitched("here", "offline", EndpointTimeout.type, said)
    yield TextDelta("Quoted.")
    yield Finished("Quoted.", "offline", is_offline=True, notice=Sentence("stood_in", reason=said))


async def choosing(task):
    """An agent that tells why its model was asked."""
    yield TextDelta("Said.")
    why = together([Sentence("seen_tokens", n=2), Sentence("instead_of", endpoint="here",
        reason=Sentence(EndpointTimeout.type))])  # fmt: skip
    yield UsageRecorded("small", "there", 1, 1, None, None, 5, 9, why=why)
    yield Finished("Said.", "small", is_offline=False)


async def failing(task):
    raise UpstreamFailed("out of {memory}")
    yield


def ask(user, agent) -> Turn:
    made = []

    async def scenario():
        async with running(agent):
            made.append(await finished(await run_sync(start_turn, user, None, "Why?")))

    play(scenario)
    return made[0]


def shown(turn, user, language) -> dict:
    with translation.override(language):
        return list_thread(turn.conversation, user)[-1].data


def test_a_finished_answer_speaks_each_readers_language(chinese):
    turn = ask(chinese, switching)
    assert shown(turn, chinese, "en")["notice"] == ENGLISH
    assert shown(turn, chinese, "en")["steps"][0]["data"]["detail"] == FAILURE
    notices = {lang: shown(turn, chinese, lang)["notice"] for lang in ("zh-hans", "zh-hant")}
    assert len({ENGLISH, *notices.values()}) == 3
    assert not any("quoted" in notice or "answer" in notice for notice in notices.values())
    with translation.override("en"):
        assert f"*{ENGLISH}*" in as_markdown(chinese, turn.conversation_id)
        assert json.loads(as_json(chinese, turn.conversation_id))["messages"][-1]["notice"] == (
            ENGLISH
        )


def test_why_a_model_was_asked_is_said_in_the_readers_words(chinese, api_for):
    turn = ask(chinese, choosing)
    english = "2 tokens long Instead of here: The model's server did not answer in time."
    assert shown(turn, chinese, "en")["usage"]["why"] == english
    translated = shown(turn, chinese, "zh-hant")["usage"]["why"]
    assert translated.startswith("長 2 個")
    assert "answer" not in translated
    api = api_for(chinese, "chat")
    (_question, answer) = api.get(f"/conversations/{turn.conversation_id}/messages").json()["items"]
    assert answer["usage"]["why"] == english
    assert translated in streamed(api, turn)


def test_who_changes_their_language_reads_it_in_the_new_one(chinese):
    turn = ask(chinese, switching)
    client = Client()
    client.force_login(chinese)
    place = f"/c/{turn.conversation_id}"
    assert ENGLISH not in client.get(place).content.decode().replace("\\u0027", "'")
    User.objects.filter(pk=chinese.pk).update(language="en")
    assert ENGLISH in client.get(place).content.decode().replace("\\u0027", "'")


def test_a_shared_page_and_the_api_speak_as_they_are_asked_to(chinese, api_for):
    turn = ask(chinese, switching)
    _link, token = make_link(chinese, turn.conversation_id)
    client = Client()
    client.force_login(chinese)
    page = client.get(f"/s/{token}").content.decode()
    assert json.dumps(shown(turn, chinese, "zh-hans")["notice"]) in page
    api: Api = api_for(chinese, "chat")
    (_question, answer) = api.get(f"/conversations/{turn.conversation_id}/messages").json()["items"]
    assert answer["notice"] == ENGLISH


def test_why_a_turn_failed_is_said_in_the_readers_words(chinese, api_for):
    turn = ask(chinese, failing)
    error = shown(turn, chinese, "en")["error"]
    assert error == {
        "type": "upstream_failed",
        "title": "The model's server failed.",
        "detail": "The model's server failed. out of {memory}",
    }
    assert api_for(chinese, "chat").get(f"/turns/{turn.pk}").json()["error"] == error
    translated = shown(turn, chinese, "zh-hant")["error"]
    assert translated["type"] == error["type"]
    assert translated["title"] != error["title"]
    assert translated["detail"].endswith("out of {memory}")


def test_events_come_in_the_language_of_the_socket_and_of_the_request(chinese, api_for):
    turn = ask(chinese, switching)

    async def over_the_socket():
        async with socket(chinese) as tab:
            await tab.send(type="subscribe", stream=str(turn.pk), after=0)
            frame = await tab.until("message_completed")
            return frame["data"]["notice"]

    async def scenario():
        assert await over_the_socket() == await run_sync(
            lambda: shown(turn, chinese, "zh-hans")["notice"]
        )

    play(scenario)
    assert shown(turn, chinese, "zh-hant")["notice"] in streamed(api_for(chinese, "chat"), turn)


def streamed(api, turn) -> str:
    async def read():
        sent = {"Authorization": f"Bearer {api.token}", "Accept-Language": "zh-Hant"}
        answer = await AsyncClient().get(f"/api/v1/turns/{turn.pk}/events", headers=sent)
        parts = [part async for part in answer.streaming_content]
        await current_hub().close()
        return b"".join(parts).decode()

    return async_to_sync(read)()


def test_what_was_stored_in_words_stays_these_words(alice):
    turn = ask(alice, switching)
    Message.objects.filter(pk=turn.answer_id).update(notice="Aus Ihren Dokumenten zitiert.")
    words = {"type": "busy", "title": "Zu viel zu tun.", "detail": "Später {noch} einmal."}
    Turn.objects.filter(pk=turn.pk).update(error=words)
    for language in ("en", "zh-hans"):
        data = shown(turn, alice, language)
        assert data["notice"] == "Aus Ihren Dokumenten zitiert."
        assert data["error"] == words


def test_codes_alone_are_stored(chinese):
    turn = ask(chinese, switching)
    answer = Message.objects.get(pk=turn.answer_id)
    kept = json.loads(answer.notice)
    assert kept["code"] == "stood_in"
    assert kept["values"]["reason"]["code"] == "endpoint_timeout"
    assert answer.steps[0]["data"]["detail"] == stored(EndpointTimeout(Sentence("no_answer")).said)
