"""Rules that ask an endpoint: verdicts, deadlines, labels, and what counts when it fails."""

import pytest
from asgiref.sync import async_to_sync

from agents.guardrails.admitting import admitted
from agents.guardrails.asking import TOPIC_CHARS, Asking, ask
from agents.guardrails.rules import stored
from agents.guardrails.types import Unchecked
from agents.types import AgentSpec, AgentTask
from gateway.chat import stream_chat
from gateway.labels import Demand
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.routing.routes import find_routes, forget_routes
from gateway.types import Payer
from gateway.upstream.session import close_pool
from security.ids import new_id
from tests.agents.guardrails.rules_of import rule
from tests.support.model_server import Script, model_server

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(model_server):
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url, labels=["eu"])
    for name, kind in (("m", "chat"), ("mod", "moderation")):
        model = Model.objects.create(name=name, kind=kind, is_default=True)
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name=name)
    forget_routes()
    yield model_server
    forget_routes()


def judge(**more):
    return rule("judge", ("input",), "block", criterion=f"It is rude. {new_id()}", **more)


def asked(user, one, text, demands=()):
    async def run():
        asking = Asking(
            user, Payer(user.pk, purpose="guardrail"), demands, stream_chat, find_routes
        )
        try:
            return await ask(one, text, asking)
        finally:
            await close_pool()

    return async_to_sync(run)()


@pytest.mark.parametrize(("said", "is_found"), [("breaks", True), ("Passes.", False)])
def test_a_judge_says_one_word(connected, alice, said, is_found):
    connected.queue(Script(text=said))
    assert bool(asked(alice, judge(), "You fool!")) is is_found
    (sent,) = connected.chat_requests
    assert "It is rude." in sent["messages"][0]["content"]
    assert "You fool!" in sent["messages"][1]["content"]
    assert "You fool!" not in sent["messages"][0]["content"]
    (usage,) = Usage.objects.all()
    assert (usage.purpose, usage.account_id) == ("guardrail", alice.pk)


def test_a_verdict_is_remembered(connected, alice):
    connected.queue(Script(text="breaks"))
    one = judge()
    assert asked(alice, one, "You fool!")
    assert asked(alice, one, "You fool!")
    assert len(connected.chat_requests) == 1


@pytest.mark.parametrize("script", [Script(text="maybe"), Script(status=500), Script(text="")])
def test_what_is_no_verdict_is_none(connected, alice, script):
    connected.queue(script, script, script)
    with pytest.raises(Unchecked):
        asked(alice, judge(), "You fool!")


def test_an_endpoint_that_hangs_is_not_waited_for(connected, alice, settings):
    settings.PARLEY_GUARDRAIL_SECONDS = 0.3
    connected.queue(Script(text="breaks", first_delay=30))
    with pytest.raises(Unchecked, match="in time"):
        asked(alice, judge(), "You fool!")


def test_labels_that_forbid_it(connected, alice):
    with pytest.raises(Unchecked, match="no endpoint"):
        asked(alice, judge(), "Secret", (Demand("confidential", "agent", "A"),))
    assert connected.chat_requests == []
    moderation = rule("moderation", ("input",), "block")
    with pytest.raises(Unchecked, match="no endpoint"):
        asked(alice, moderation, "Secret", (Demand("confidential", "agent", "A"),))
    connected.queue(Script(text="passes"))
    assert asked(alice, judge(), "Fine", (Demand("eu", "agent", "A"),)) is None


def test_moderation(connected, alice):
    flagged = {"results": [{"flagged": True, "categories": {"hate": True, "violence": False}}]}
    connected.pages["/v1/moderations"] = flagged
    found = asked(alice, rule("moderation", ("input",), "block"), f"x {new_id()}")
    assert found.detail == "hate"
    other = rule("moderation", ("input",), "block", categories=["violence"])
    assert asked(alice, other, f"x {new_id()}") is None
    assert {row.purpose for row in Usage.objects.all()} == {"guardrail"}


@pytest.mark.parametrize("page", [{"results": []}, {"nothing": 1}])
def test_a_moderation_that_is_none(connected, alice, page):
    connected.pages["/v1/moderations"] = page
    with pytest.raises(Unchecked):
        asked(alice, rule("moderation", ("input",), "block"), f"x {new_id()}")


@pytest.mark.parametrize("on_failure", ["open", "closed"])
def test_open_and_closed(connected, alice, on_failure):
    connected.queue(*[Script(status=500)] * 6)
    one = judge(on_failure=on_failure)

    async def run():
        spec = AgentSpec(guardrails=(stored(one),))
        try:
            return await admitted(AgentTask(spec, alice, f"Hm? {new_id()}"))
        finally:
            await close_pool()

    task = async_to_sync(run)()
    assert bool(task.guard.blocked) is (on_failure == "closed")
    (act,) = task.guard.news
    assert act.outcome == f"failed_{on_failure}"
    assert "could not be checked" in act.said


def test_topics(alice):
    only = rule(
        "topic", ("input",), "block", mode="only", threshold=0.3,
        examples=["How many days of leave do I have?", "Who approves my vacation?"],
    )  # fmt: skip
    assert asked(alice, only, "How much vacation is left for me this year?") is None
    assert asked(alice, only, "Write a poem about black holes and quantum gravity.")


def test_a_topic_is_looked_for_in_all_of_a_text(alice):
    never = rule(
        "topic", ("input",), "block", mode="never", threshold=0.3,
        examples=["How many days of leave do I have?", "Who approves my vacation?"],
    )  # fmt: skip
    long = ("Black holes bend the light of stars. " * 60)[:TOPIC_CHARS]
    assert not asked(alice, never, long)
    assert asked(alice, never, f"{long}How much vacation is left for me this year?")


@pytest.mark.parametrize("kind", ["judge", "moderation"])
def test_what_is_longer_than_can_be_judged_is_not_checked(connected, alice, kind):
    one = judge() if kind == "judge" else rule("moderation", ("input",), "block")
    with pytest.raises(Unchecked, match="longer than can be judged"):
        asked(alice, one, "word " * 9601)
    assert connected.chat_requests == []
