"""Runs over a real search: figures, what changed since the last one, when they begin."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from agents.models import Agent
from events import jobs
from events.models import Job
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.glossary.services import put_entry
from knowledge.models import GoldenQuestion, QualityPlan, QualityRun
from knowledge.quality import running, scheduling
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.fingerprints import cause_of, settings_of
from knowledge.quality.services import Expectation, add_question, change_question
from knowledge.switches import Switch
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(alice, handbook, shelf_of_three):
    def expect(text, name, quote):
        return add_question(
            alice, handbook, text, expected=[Expectation(shelf_of_three[name].pk, quote)]
        )

    return [
        expect("What may a hotel cost?", "travel", "at most 120 euros a night"),
        expect("How many days of leave are there?", "leave", "thirty days of annual leave"),
        expect("差旅費用要在幾天內提交？", "expenses", "三十天内提交"),
        add_question(alice, handbook, "zxqv wvut?", must_find_nothing=True),
    ]


def begin(collection, **more) -> QualityRun:
    run = running.start_run(collection, **more)
    jobs.run(str(run.job_id))
    run.refresh_from_db()
    return run


def test_a_run_asks_every_question_and_keeps_what_it_found(alice, handbook, asked, shelf_of_three):
    add_question(alice, handbook, "Proposed?", must_find_nothing=True, is_proposed=True)
    run = begin(handbook, by=alice)
    assert (run.state, run.questions, run.reason) == ("done", 4, "")
    assert (run.figures["hit_1"], run.figures["ndcg"], run.figures["expecting"]) == (1.0, 1.0, 3)
    assert run.figures["nothing"] == 1
    assert "change" not in run.figures  # there is nothing to compare it with
    result = run.results.get(question=asked[0])
    assert (result.rank, result.found[0]["document"]) == (1, str(shelf_of_three["travel"].pk))
    assert Job.objects.get(pk=run.job_id).status == "succeeded"


def test_the_next_run_says_what_became_worse(alice, handbook, asked, shelf_of_three):
    first = begin(handbook)
    change_question(
        alice, asked[0], asked[0].text,
        expected=[Expectation(shelf_of_three["leave"].pk, "Leave is asked for in Kiosk")],
    )  # fmt: skip
    second = begin(handbook, cause="content")
    assert second.before == first
    change = running.changes_of(second)["ndcg"]
    assert (change.n, change.delta < 0) == (3, True)
    assert not change.loses  # one of three may be chance


def test_without_questions_or_readers_there_is_nothing_to_ask(alice, handbook, asked):
    accounts.disable(alice)
    run = begin(handbook)
    assert (run.state, run.reason) == ("failed", "Nobody who is active may read this collection.")
    GoldenQuestion.objects.all().delete()
    with pytest.raises(QuestionRefused):
        running.start_run(handbook)


def calm(collection):
    """As if nothing had changed for an hour."""
    scheduling.sweep()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    QualityPlan.objects.filter(collection=collection).update(changed_at=an_hour_ago)


def carry_out_waiting():
    for run in QualityRun.objects.filter(state="waiting"):
        jobs.run(str(run.job_id))


def test_a_change_begins_a_run_once_it_has_been_calm(
    alice, handbook, asked, add_text, django_capture_on_commit_callbacks
):
    assert scheduling.sweep() == 0  # they were just written
    calm(handbook)
    assert scheduling.sweep() == 1
    assert scheduling.sweep() == 0  # it waits already
    carry_out_waiting()
    assert scheduling.sweep() == 0  # nothing has changed since
    add_text(handbook, "# Parking\n\nBicycles stand in the yard, cars in the street.")
    assert scheduling.sweep() == 0  # more may come
    calm(handbook)
    assert scheduling.sweep() == 1
    assert QualityRun.objects.first().cause == "content"


def test_on_the_days_that_an_editor_chose(alice, handbook, asked):
    begin(handbook)
    scheduling.set_plan(handbook, schedule="daily", asks_answers=False)
    assert scheduling.sweep() == 0
    QualityPlan.objects.update(next_run_at=timezone.now() - timedelta(days=3))
    assert scheduling.sweep() == 1
    assert QualityRun.objects.first().cause == "schedule"
    carry_out_waiting()
    assert scheduling.sweep() == 0  # days that were missed are made up for once


@pytest.mark.django_db(transaction=True)
def test_answers_are_asked_for_where_the_plan_says_so(alice, handbook, asked):
    """The offline answerer quotes, so its sentences stand in their sources."""
    scheduling.set_plan(handbook, schedule="none", asks_answers=True)
    run = begin(handbook, by=alice)
    assert run.asks_answers
    assert run.figures["supported"] == 1.0
    assert run.results.filter(supported=1.0).count() >= 2


def test_another_prompt_is_a_reason_to_ask_again(alice, handbook, asked):
    before = settings_of(handbook)
    agent = Agent.objects.create(
        owner=alice, name="Travel", slug="travel", instructions="Be brief."
    )
    agent.collections.add(handbook)
    assert cause_of(before, settings_of(handbook)) == "prompt"
    assert cause_of(before, before) is None


def test_questions_are_asked_in_the_words_of_the_glossary(alice, handbook, shelf_of_three):
    """As answers are found: so an entry is seen to help, and a run follows its change."""
    hotel = Expectation(shelf_of_three["travel"].pk, "Hotels cost at most 120 euros a night")
    add_question(alice, handbook, "Caravanserai?", expected=[hotel])
    before = begin(handbook, by=alice)
    assert before.figures["hit_1"] == 0
    put_entry(handbook, ["caravanserai", "hotels cost"])
    assert cause_of(before.settings, settings_of(handbook)) == "glossary"
    after = begin(handbook, by=alice)
    assert after.figures["hit_1"] == 1
    assert cause_of(after.settings, settings_of(handbook)) is None
    handbook.understanding = {"glossary": False}
    handbook.save()
    assert begin(handbook, by=alice).figures["hit_1"] == 0


@pytest.mark.django_db(transaction=True)
def test_another_way_is_tried_beside_the_glossary(alice, handbook, shelf_of_three):
    """What it gains is told against the search of today, and that knows the glossary."""
    hotel = Expectation(shelf_of_three["travel"].pk, "Hotels cost at most 120 euros a night")
    add_question(alice, handbook, "Caravanserai?", expected=[hotel])
    put_entry(handbook, ["caravanserai", "hotels cost"])
    ways = frozenset({Switch.PARTS})
    run = running.make_run(handbook, running.Cause.GATE, alice, ways=ways)
    assert running.carry_out(run).figures["hit_1"] == 1


@pytest.mark.django_db(transaction=True)
def test_answers_are_those_of_the_agents_that_have_the_collection(
    alice, bob, handbook, asked, model_server
):
    """Another prompt of theirs is a reason to ask again, so it has to be the one that is asked."""
    model = Model.objects.create(name="house", kind=Model.Kind.CHAT, is_default=True)
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="up")
    forget_routes()
    model_server.default = Script(text="Hotels cost at most 120 euros a night [1].")
    for owner, says in ((alice, "Be brief."), (bob, "Be long.")):
        agent = Agent.objects.create(
            owner=owner, name=says, slug=says[3:7], instructions=says, tools=["calculate"]
        )
        agent.collections.add(handbook)
    scheduling.set_plan(handbook, schedule="none", asks_answers=True)
    run = begin(handbook, by=alice)
    assert run.state == "done", run.reason
    sent = [str(request) for request in model_server.chat_requests]
    assert len(sent) == 4
    assert all("Be brief." in one and "calculate" not in one for one in sent)
    assert not any("Be long." in one for one in sent)  # which alice may not use
    assert run.results.get(question=asked[0]).supported == 1.0
    forget_routes()
