"""A question may name the model that answers it; the conversation remembers."""

import pytest

from agents.models import Agent
from agents.selectors import agent_spec
from chat import services
from chat.errors import KeyReused, UnknownModel
from chat.models import Conversation, Turn
from chat.services import start_turn
from chat.turns.work import claim_turns
from gateway.models import Deployment, Endpoint, Model


@pytest.fixture
def models(db):
    """Two that are served, one whose endpoint is off, and one for embeddings."""
    on = Endpoint.objects.create(name="on", base_url="http://127.0.0.1:9/v1")
    off = Endpoint.objects.create(name="off", base_url="http://127.0.0.1:9/v1", is_enabled=False)
    for name, endpoint, kind in (
        ("small", on, "chat"),
        ("large", on, "chat"),
        ("asleep", off, "chat"),
        ("vectors", on, "embedding"),
    ):
        model = Model.objects.create(name=name, kind=kind, is_default=name == "small")
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name=name)


def model_of_next_run():
    (work,) = claim_turns("here", 10, 30.0)
    return work.task.agent.model_name


def test_a_question_goes_to_the_model_it_names(alice, models):
    turn = start_turn(alice, None, "Why?", model="large")
    assert Turn.objects.get(pk=turn.pk).model_name == "large"
    assert model_of_next_run() == "large"


def test_a_runner_claims_the_agent_as_everybody_else_sees_it(alice, models):
    """Its row is read by a statement of its own; no field may be missing there."""
    helper = Agent.objects.create(owner=alice, name="Helper", slug="helper")
    agent = Agent.objects.create(
        owner=alice, name="Clerk", slug="clerk", instructions="Be kind.", model_name="large",
        max_passages=3, context_tokens=900, max_answer_tokens=77, temperature=0.9,
        reasoning_effort="low", decoding={"top_p": 0.5, "seed": 7, "avoided": ["delve"]},
        tools=["calculate"], limits={"steps": 6, "money": 0.5}, reuse="person", reuse_seconds=3600,
        helpers=[{"agent": str(helper.pk), "way": "ask", "when": "Often."}],
        understanding={"filters": True},
        guardrails=[
            {"name": "Mails", "kind": "personal_data", "places": ["input"], "action": "mask"}
        ],
    )  # fmt: skip
    start_turn(alice, None, "Why?", agent="clerk")
    (work,) = claim_turns("here", 10, 30.0)
    assert work.task.agent == agent_spec(agent)


def test_the_conversation_goes_on_with_it_until_another_is_named(alice, models):
    talk = start_turn(alice, None, "One?", model="large").conversation_id
    assert start_turn(alice, talk, "Two?").model_name == "large"
    assert start_turn(alice, talk, "Three?", model="").model_name == ""
    assert start_turn(alice, talk, "Four?").model_name == ""


def test_without_one_the_agents_model_answers(alice, models):
    Agent.objects.create(owner=alice, name="A", slug="a", model_name="small")
    start_turn(alice, None, "Why?", agent="a", model="")
    assert model_of_next_run() == "small"


def test_another_agent_comes_with_its_own_model(alice, models):
    Agent.objects.create(owner=alice, name="A", slug="a", model_name="small")
    talk = start_turn(alice, None, "One?", model="large").conversation_id
    assert start_turn(alice, talk, "Two?", agent="a").model_name == ""
    assert Conversation.objects.get(pk=talk).model_name == ""


def test_asking_again_changes_nothing_about_what_follows(alice, models):
    first = start_turn(alice, None, "One?", model="small")
    again = start_turn(alice, first.conversation_id, "", question=first.question_id, model="large")
    assert again.model_name == "large"
    assert Conversation.objects.get(pk=first.conversation_id).model_name == "small"


@pytest.mark.parametrize("name", ["nothing", "asleep", "vectors"])
def test_a_model_that_cannot_answer_is_refused(alice, models, name):
    with pytest.raises(UnknownModel, match=name):
        start_turn(alice, None, "Why?", model=name)
    talk = services.create_conversation(alice)
    with pytest.raises(UnknownModel):
        services.choose_model(alice, talk.pk, name)
    assert not Turn.objects.exists()


def test_the_model_belongs_to_the_request_of_a_key(alice, models):
    talk = services.create_conversation(alice).pk
    first = start_turn(alice, talk, "Why?", model="large", idempotency_key="k")
    again = start_turn(alice, talk, "Why?", model="large", idempotency_key="k")
    assert first.pk == again.pk
    with pytest.raises(KeyReused):
        start_turn(alice, talk, "Why?", model="small", idempotency_key="k")


def test_the_api_lists_models_and_takes_them(api_for, alice, models):
    api = api_for(alice)
    listed = api.get("/models").json()["items"]
    assert {(item["name"], item["is_default"]) for item in listed} == {
        ("small", True),
        ("large", False),
    }
    talk = api.post("/conversations", {"model": "large"}).json()
    assert talk["model"] == "large"
    place = f"/conversations/{talk['id']}"
    turn = api.post(f"{place}/turns", {"text": "Why?"}).json()
    assert Turn.objects.get(pk=turn["turn_id"]).model_name == "large"
    assert api.patch(place, {"model": ""}).json()["model"] == ""
    refused = api.post(f"{place}/turns", {"text": "Why?", "model": "nothing"})
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("unknown-model")
    question = str(Turn.objects.get(pk=turn["turn_id"]).question_id)
    again = api.post(f"{place}/turns", {"question": question, "model": "small"})
    assert Turn.objects.get(pk=again.json()["turn_id"]).model_name == "small"
    assert api.post(f"{place}/turns", {"text": ""}).status_code == 422
