"""The pages of the tab "Quality", the API and the command, as people and programs use them."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from events import jobs
from events.models import Job
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.models import ApprovedAnswer, GoldenQuestion, QualityPlan, QualityRun
from knowledge.quality.services import Expectation, add_question
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db
CSV = """\ufeffQuestion;Document;Quote;Nothing
What may a hotel cost?;travel.md;at most 120 euros;
Who flies?;;;yes
Trains?;;Trains are preferred;
Lost?;nowhere.md;;
Wrong?;travel.md;No such words;
Empty?;;;
What may a hotel cost?;;Hotels cost at most;
"""


@pytest.fixture
def page(alice, handbook, shelf_of_three) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def at(collection, rest=""):
    return f"/knowledge/{collection.pk}/quality/{rest}"


def test_written_searched_and_ticked_on_the_page(page, handbook, shelf_of_three):
    assert "Write the first question" in page.get(at(handbook)).content.decode()
    found = page.get(at(handbook, "questions/new/"), {"q": "What may a hotel cost?"})
    offered, *_ = found.context["found"]
    assert not offered.is_expected
    ticked = offered.value
    assert offered.passage.title in found.context["titles"]
    asked = page.get(
        at(handbook, "questions/new/"),
        {"text": "What may a hotel cost?"},
        headers={"HX-Request": "true"},
    )
    assert ticked in asked.content.decode()
    assert "<h1>" not in asked.content.decode()
    saved = page.post(
        at(handbook, "questions/new/"),
        {
            "text": "What may a hotel cost?",
            "passage": ticked,
            "quote": ["Trains are preferred to planes", ""],
            "document": ["", ""],
        },
    )
    assert saved.status_code == 302
    made = GoldenQuestion.objects.get()
    assert {one.document.title for one in made.expected.all()} == {"Travel"}
    assert made.expected.count() == 2
    form = page.get(f"/knowledge/golden/{made.pk}/")
    assert form.context["found"][0].is_expected  # what is expected already says so
    again = page.post(
        f"/knowledge/golden/{made.pk}/",
        {
            "text": "Planes?", "quote": ["Nobody said this"], "document": ["Travel"],
            "passage": [ticked],
        },
    )  # fmt: skip
    assert [one.is_ticked for one in again.context["found"] if one.value == ticked] == [True]
    assert "does not stand in" in again.content.decode()
    assert "Nobody said this" in again.content.decode()  # nothing that was typed is lost
    page.post(f"/knowledge/golden/{made.pk}/review", {"action": "delete"})
    assert not GoldenQuestion.objects.exists()


def test_imported_after_a_look(page, handbook):
    shown = page.post(at(handbook, "questions/import/"), {"content": CSV})
    problems = {line.number: line.problem for line in shown.context["lines"] if line.problem}
    assert set(problems) == {5, 6, 7}
    assert "nowhere.md" in problems[5]
    assert not GoldenQuestion.objects.exists()
    page.post(at(handbook, "questions/import/"), {"content": CSV, "action": "take"})
    assert GoldenQuestion.objects.counted().count() == 3
    assert GoldenQuestion.objects.get(text__startswith="What").expected.count() == 2
    refused = page.post(at(handbook, "questions/import/"), {"content": "a,b\n1,2"})
    assert "must name the columns" in refused.content.decode()


def test_lines_of_json_say_what_is_wrong_with_each(page, handbook):
    lines = [
        {"question": "Hotels?", "expected": [{"document": "travel", "quote": "120 euros"}]},
        {"question": "差旅費用？", "expected": ["三十天内提交"]},
        {"question": "Who?", "must_find_nothing": True},
        {"question": "Both?", "must_find_nothing": True, "quote": "120 euros"},
        {"question": "Odd?", "expected": 7},
        [1],
    ]
    content = "\n".join(json.dumps(line) for line in lines) + "\n{broken"
    body = {"content": content, "preview": False}
    answer = page.post(
        f"/api/v1/collections/{handbook.pk}/golden-questions/import", body, "application/json"
    ).json()
    assert answer["added"] == 3
    assert [bool(line["problem"]) for line in answer["lines"]] == [False] * 3 + [True] * 4


def test_asked_on_the_page_and_shown_before_and_after(page, alice, handbook, shelf_of_three):
    travel = shelf_of_three["travel"]
    add_question(alice, handbook, "Hotels?", expected=[Expectation(travel.pk, "120 euros")])
    for _n in range(2):
        page.post(at(handbook, "ask"))
        jobs.run(str(QualityRun.objects.first().job_id))
    shown = page.get(at(handbook)).content.decode()
    assert "100\N{NO-BREAK SPACE}%" in shown
    assert 'data-chart="quality"' in shown
    run = QualityRun.objects.first()
    rows = page.get(at(handbook, f"runs/{run.pk}/")).context["rows"]
    assert [(row.now.rank, row.before.rank, row.step) for row in rows] == [(1, 1, 0)]
    listed = page.get(at(handbook, "questions/")).content.decode()
    assert "rank 1" in listed
    page.post(at(handbook, "plan"), {"schedule": "weekly", "asks_answers": "on"})
    plan = QualityPlan.objects.get()
    assert (plan.schedule, plan.asks_answers) == ("weekly", True)
    whole = page.get(f"/api/v1/quality-runs/{run.pk}").json()
    assert whole["results"][0]["text"] == "Hotels?"
    assert whole["figures"]["change"]["ndcg"]["delta"] == 0


def connect(server):
    endpoint = Endpoint.objects.create(name="Scripted", base_url=server.url)
    model = Model.objects.create(name="writer", is_default=True)
    forget_routes()
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="writer")


@pytest.mark.django_db(transaction=True)
def test_a_model_proposes_and_a_person_accepts(page, handbook, model_server, add_text):
    assert page.post(at(handbook, "questions/propose")).status_code == 302
    assert not Job.objects.filter(task__endswith="propose_questions").exists()  # no model yet
    connect(model_server)
    text = (
        "Bicycles stand in the yard behind the kitchen, under the roof that was built for them in"
        " spring. Cars stand in the street, where a permit of the city is needed from Monday on."
    )
    for name in ("yard", "street"):
        add_text(handbook, f"# {name}\n\n{text} The sign says {name}.", f"{name}.md")
    quote = "Bicycles stand in the yard"
    model_server.queue(
        Script(text=f'Here: {{"question": "Where do I leave my bike?", "quote": "{quote}"}}'),
        Script(text="I would rather not."),
    )
    page.post(at(handbook, "questions/propose"))
    job = Job.objects.get(task__endswith="propose_questions")
    jobs.run(str(job.pk))
    proposed = GoldenQuestion.objects.get()
    assert (proposed.state, proposed.origin) == ("proposed", "model")
    assert proposed.expected.get().quote == quote
    assert not GoldenQuestion.objects.counted().exists()
    page.post(f"/knowledge/golden/{proposed.pk}/review", {"action": "accept", "state": "proposed"})
    assert GoldenQuestion.objects.counted().exists()


def test_approved_on_the_page(page, handbook):
    form = {
        "question": "What may a hotel cost?", "wordings": "How dear may hotels be?\n",
        "text": "120 euros a night [1].", "expires": "2099-12-31",
        "quote": ["Hotels cost at most 120 euros"], "document": [""],
    }  # fmt: skip
    assert page.post(at(handbook, "answers/new/"), form).status_code == 302
    answer = ApprovedAnswer.objects.get()
    assert answer.wordings.count() == 2
    assert answer.sources.get().document.title == "Travel"
    assert "until" in page.get(at(handbook, "answers/")).content.decode()
    assert page.get(f"/knowledge/approved/{answer.pk}/").status_code == 200
    past = page.post(f"/knowledge/approved/{answer.pk}/", form | {"expires": "2001-01-01"})
    assert "expired already" in past.content.decode()
    page.post(f"/knowledge/approved/{answer.pk}/withdraw")
    assert not ApprovedAnswer.objects.exists()


def command(*args):
    out, err = StringIO(), StringIO()
    try:
        call_command("golden", *args, stdout=out, stderr=err)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_says_how_it_went_by_its_exit_status(alice, handbook, shelf_of_three):
    travel, leave = shelf_of_three["travel"], shelf_of_three["leave"]
    add_question(alice, handbook, "Hotels?", expected=[Expectation(travel.pk, "120 euros")])
    as_alice = ("--as", alice.email)
    code, out, _err = command("--collection", "Handbook", "--fail-below", "0.9", *as_alice)
    assert (code, "nDCG@10 1.000" in out) == (0, True)
    add_question(alice, handbook, "Trains or planes?", expected=[Expectation(leave.pk, "Kiosk")])
    code, out, _err = command("--fail-below", "hit_1=1", "--json", *as_alice)
    told = json.loads(out)
    assert code == 1
    assert told["runs"][0]["figures"]["hit_1"] == 0.5
    assert "below 1.000" in told["failures"][0]
    assert QualityRun.objects.filter(cause="command", state="done").count() == 2
