"""A question through an alias: who answers, what is told and kept, whose word counts."""

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils import timezone

from gateway.catalogue import is_chat_model
from gateway.chat import stream_chat
from gateway.complexity import judging
from gateway.complexity.aliases import fingerprint, forget_aliases
from gateway.complexity.corrections import correct, take_up
from gateway.complexity.recording import recorded, remove_old
from gateway.errors import NoEndpointAllowed
from gateway.models import (
    Deployment,
    Endpoint,
    Model,
    RoutingAlias,
    RoutingChoice,
    RoutingRule,
    Usage,
)
from gateway.routing.routes import forget_routes, list_routes
from gateway.types import ChatRequest, Completed, Payer, PromptMessage, TextDelta
from gateway.upstream.session import close_pool
from security.ids import first_id_at
from security.sentences import said_text
from tests.support.model_server import ModelServer, Script

pytestmark = pytest.mark.django_db(transaction=True)

EASY = "What is the capital of France?"
MIDDLING = "Compare the two contracts: what is different, and why?"
HARD = "Prove that it terminates, explain why, compare both:\n```\ndef f(n): return f(n - 1)\n```"
FAILS = Script(status=503, error={"error": {"message": "away"}})


class House:
    """An alias `auto` over the models small, middle and large, each at an endpoint of its own."""

    def __init__(self, stack):
        self.servers, self.endpoints, self.models = {}, {}, {}
        for name in ("small", "middle", "large", "judge"):
            self.servers[name] = stack.enter_context(ModelServer())
            self.servers[name].default = Script(text=f"I am {name}.")
            self.endpoints[name] = Endpoint.objects.create(
                name=f"at-{name}", base_url=self.servers[name].url
            )
            self.models[name] = Model.objects.create(name=name)
            Deployment.objects.create(
                model=self.models[name], endpoint=self.endpoints[name], upstream_name="up"
            )
        self.alias = RoutingAlias.objects.create(
            model=Model.objects.create(name="auto"), simple=self.models["small"],
            medium=self.models["middle"], hard=self.models["large"],
        )  # fmt: skip
        self.forget()

    def forget(self):
        forget_routes()
        forget_aliases()

    def set(self, **fields):
        for name, value in fields.items():
            setattr(self.alias, name, value)
        self.alias.save()
        self.forget()

    def label(self, name, *labels):
        Endpoint.objects.filter(name=f"at-{name}").update(labels=list(labels))
        self.forget()

    def ask(self, text, model="auto", **more):
        fields = {"question": text, "turn_id": uuid4()} | more
        request = ChatRequest(model, (PromptMessage("user", text),), **fields)

        async def run():
            items = []
            try:
                items.extend([item async for item in stream_chat(request)])
                await recorded()
            finally:
                await close_pool()
            return items

        items = asyncio.run(run())
        self.done = next(item for item in items if isinstance(item, Completed))
        return "".join(item.text for item in items if isinstance(item, TextDelta))

    def calls(self, name):
        return len(self.servers[name].requests)


@pytest.fixture
def house():
    with ExitStack() as stack:
        yield House(stack)
        forget_routes()
        forget_aliases()


def test_each_question_goes_to_the_model_for_its_tier(house):
    assert house.ask(EASY) == "I am small."
    assert house.ask(MIDDLING) == "I am middle."
    turn, person = uuid4(), uuid4()
    assert house.ask(HARD, turn_id=turn, payer=Payer(person)) == "I am large."
    why = house.done.why
    assert why.startswith("hard: contains code, ")
    assert "→ large" in why
    assert house.done.model == "large"
    assert said_text(Usage.objects.get(turn_id=turn).why) == why
    choice = RoutingChoice.objects.get(turn_id=turn)
    shown = (choice.tier, choice.target, choice.voted_by, choice.account_id)
    assert shown == ("hard", "large", "score", person)
    assert choice.features["code"] == 1
    assert choice.fingerprint == fingerprint(f"  {HARD.upper()} ")
    assert "terminates" not in str(RoutingChoice.objects.filter(pk=choice.pk).values())


def test_what_parley_asks_for_itself_goes_to_the_simple_model_unrecorded(house):
    assert house.ask(HARD, question="", turn_id=None) == "I am small."
    assert not RoutingChoice.objects.exists()


def test_a_model_that_fails_is_followed_by_a_harder_one_then_a_simpler_one(house):
    house.servers["small"].default = FAILS
    assert house.ask(EASY) == "I am middle."
    house.servers["large"].default = FAILS
    assert house.ask(HARD) == "I am middle."
    assert RoutingChoice.objects.filter(tier="hard", target="large").exists()


def test_labels_are_demanded_of_whoever_answers(house):
    house.label("large", "eu")
    demanded = {"required_labels": frozenset({"eu"})}
    assert house.ask(EASY, **demanded) == "I am large."
    house.label("large")
    with pytest.raises(NoEndpointAllowed):
        house.ask(EASY, **demanded)
    assert house.calls("small") == house.calls("middle") == 0


def test_a_prompt_too_long_for_a_model_goes_to_one_that_reads_it(house):
    Model.objects.filter(name="small").update(context_length=2000)
    house.forget()
    system = PromptMessage("system", "x " * 8000)
    request = ChatRequest("auto", (system, PromptMessage("user", EASY)), question=EASY)

    async def ask():
        try:
            return [item async for item in stream_chat(request)][-1]
        finally:
            await recorded()
            await close_pool()

    assert asyncio.run(ask()).model == "middle"


def test_rules_decide_first_in_their_order(house):
    for position, (text, tier) in enumerate(
        (("lookup\ntokens > 500", "medium"), ("lookup", "hard"))
    ):
        RoutingRule.objects.create(alias=house.alias, conditions=text, tier=tier, position=position)
    house.forget()
    assert house.ask(EASY) == "I am large."
    assert house.done.why.startswith("hard by a rule: asks for a fact")
    RoutingRule.objects.update(is_enabled=False)
    house.forget()
    assert house.ask(EASY) == "I am small."
    assert list(RoutingChoice.objects.values_list("voted_by", flat=True)) == ["score", "rule"]


def test_a_corrected_question_is_known_again(house):
    house.ask(EASY)
    choice = RoutingChoice.objects.get()
    correct(choice, "hard", uuid4())
    assert house.ask(f" {EASY.lower()}") == "I am large."
    assert house.done.why.startswith("hard as corrected")
    correct(choice, "", uuid4())
    assert house.ask(EASY) == "I am small."


def test_the_judge_is_asked_in_doubt_and_its_word_counts(house):
    house.set(judge=house.models["judge"], judge_margin=0.0)
    house.ask(EASY)
    assert house.calls("judge") == 0
    house.set(judge_margin=100.0)
    house.servers["judge"].default = Script(text=" Hard.")
    assert house.ask(EASY) == "I am large."
    assert house.done.why.startswith("hard by the judge")
    body = house.servers["judge"].requests[-1].json
    assert body["max_tokens"] == 8
    assert RoutingChoice.objects.latest("pk").voted_by == "judge"


@pytest.mark.parametrize("script", [
    Script(text="I would rather not say"), FAILS, Script(text="hard", head_delay=5),
], ids=["nonsense", "failure", "silence"])  # fmt: skip
def test_without_a_vote_the_score_decides(house, script, monkeypatch):
    monkeypatch.setattr(judging, "SECONDS", 0.3)
    house.set(judge=house.models["judge"], judge_margin=100.0)
    house.servers["judge"].default = script
    assert house.ask(EASY) == "I am small."
    assert RoutingChoice.objects.get().voted_by == "score"


def test_a_judge_without_the_labels_never_reads_the_question(house):
    house.set(judge=house.models["judge"], judge_margin=100.0)
    for name in ("small", "middle", "large"):
        house.label(name, "eu")
    assert house.ask(EASY, required_labels=frozenset({"eu"})) == "I am small."
    assert house.calls("judge") == 0


def test_an_alias_may_be_the_default_and_is_offered_while_somebody_serves_it(house):
    assert is_chat_model("auto")
    Model.objects.filter(name="auto").update(is_default=True)
    forget_routes()
    assert house.ask(EASY, model="") == house.ask(EASY, model="gone") == "I am small."
    Deployment.objects.filter(model__name__in=("small", "middle", "large")).update(is_enabled=False)
    assert not is_chat_model("auto")
    assert list_routes("auto") == ()


def test_no_alias_leads_to_an_alias(house):
    fresh = Model.objects.create(name="fresh")

    def refused(field, **targets):
        fields = {"simple": house.models["small"], "medium": house.models["small"],
            "hard": house.models["small"]}  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            RoutingAlias(**({"model": fresh} | fields | targets)).clean()
        assert field in caught.value.message_dict

    refused("hard", hard=house.alias.model)
    refused("judge", judge=house.alias.model)
    refused("simple", simple=fresh)
    refused("model", model=house.models["small"])
    Deployment.objects.filter(model=house.models["small"]).delete()
    refused("model", model=house.models["small"])
    refused("medium", medium=Model.objects.create(name="e", kind="embedding"))
    refused("hard_from", hard_from=0.0)
    with pytest.raises(ValidationError):
        Deployment(model=house.alias.model, endpoint=house.endpoints["small"]).clean()
    with pytest.raises(ProtectedError):
        house.models["large"].delete()


def test_learning_changes_the_alias_only_for_the_better(house):
    assert take_up(house.alias) is None
    for n in range(30):
        features = {"chinese": 1, "tokens": 10 + n} if n % 2 else {"code": 1, "tokens": 10 + n}
        RoutingChoice.objects.create(
            alias=house.alias, tier="simple", target="small", features=features, score=1,
            voted_by="score", corrected_tier="hard" if n % 2 else "simple",
            corrected_at=timezone.now(),
        )  # fmt: skip
    lesson = take_up(house.alias)
    assert lesson.then.points < lesson.now.points
    assert (
        house.ask("请问这份租约的续约条款写在第几页，续约通知需要提前多少天寄出") == "I am large."
    )
    assert take_up(RoutingAlias.objects.get()) is None


def test_old_choices_go_and_corrected_ones_forget_whose_they_were(house, settings):
    settings.PARLEY_ROUTING_CHOICES_DAYS = 30
    old = first_id_at(timezone.now() - timedelta(days=31))
    usual = {"alias": house.alias, "tier": "hard", "target": "large", "score": 5,
        "voted_by": "score", "account_id": uuid4(), "turn_id": uuid4()}  # fmt: skip
    RoutingChoice.objects.create(pk=old, **usual)
    kept = RoutingChoice.objects.create(
        pk=type(old)(int=old.int + 1), **usual, corrected_tier="simple"
    )
    new = RoutingChoice.objects.create(**usual)
    assert remove_old() == 1
    assert set(RoutingChoice.objects.all()) == {kept, new}
    kept.refresh_from_db()
    assert kept.account_id is None
    assert kept.turn_id is None
