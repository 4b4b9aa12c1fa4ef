"""Long lists of a collection's quality come in pages, each row once and in order."""

import pytest
from django.test import Client

from knowledge.models import GoldenQuestion, QualityResult, QualityRun
from knowledge.quality.approved import approve
from knowledge.quality.selectors import compare_run

pytestmark = pytest.mark.django_db
MANY = 120


@pytest.fixture
def client(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def run(alice, handbook) -> QualityRun:
    """Worse, as before, better, found nothing, and no value: in turn, beside a run before."""
    before = QualityRun.objects.create(collection=handbook, cause="hand", state="failed")
    now = QualityRun.objects.create(
        collection=handbook, cause="hand", state="failed", before=before
    )
    questions = GoldenQuestion.objects.bulk_create(
        GoldenQuestion(
            collection=handbook, text=f"What is number {n}?", key=f"{n}", script="latin",
            must_find_nothing=n % 5 == 4, added_by=alice,
        )
        for n in range(MANY)
    )  # fmt: skip
    results = []
    for n, question in enumerate(questions):
        for one, better in ((before, 0.0), (now, (-0.2, 0.0, 0.2, 0.0, 0.0)[n % 5])):
            values = {"ndcg": 0.3 + n / 1000 + better}
            if n % 5 == 4:
                values = {"is_quiet": n % 2 == 0}
            if n % 5 == 3 and one is before:
                values = {}
            results.append(QualityResult(run=one, question=question, **values))
    QualityResult.objects.bulk_create(results)
    return now


def test_each_question_of_a_run_once_what_became_worse_first(alice, client, handbook, run):
    seen, cursor = [], None
    while True:
        rows, cursor = compare_run(alice, run, 50, cursor)
        assert len(rows) <= 50
        seen += rows
        if cursor is None:
            break
    assert {row.question.pk for row in seen} == set(
        GoldenQuestion.objects.values_list("pk", flat=True)
    )
    assert len(seen) == MANY

    def value(row):
        return row.now.ndcg if row.now.is_quiet is None else float(row.now.is_quiet)

    order = [(row.step, round(value(row), 6)) for row in seen]
    assert order == sorted(order)
    assert [row.step for row in seen].count(-1) == MANY / 5

    place = f"/knowledge/{handbook.pk}/quality/runs/{run.pk}/"
    shown, asked, pages = [], place, 0
    while asked:
        context = client.get(asked).context
        shown += [row.question.pk for row in context["rows"]]
        asked = context["next"] and f"{place}?cursor={context['next']}"
        pages += 1
    assert shown == [row.question.pk for row in seen]
    assert pages == 3
    assert len(client.get(f"{place}?cursor=nonsense").context["rows"]) == 50


def test_programs_page_the_results_of_a_run(client, run):
    place = f"/api/v1/quality-runs/{run.pk}"
    first = client.get(f"{place}?limit=100").json()
    rest = client.get(f"{place}?limit=100&cursor={first['next']}").json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (100, 20, None)
    assert client.get(f"{place}?cursor=nonsense").status_code == 422


def test_more_approved_answers_than_a_page(alice, client, handbook):
    for n in range(60):
        approve(alice, handbook, f"What is number {n}?", f"It is {n}.")
    place = f"/knowledge/{handbook.pk}/quality/answers/"
    first = client.get(place)
    assert "Show more" in first.content.decode()
    second = client.get(f"{place}?cursor={first.context['next']}")
    listed = [one.text for page in (first, second) for one in page.context["answers"]]
    assert listed == [f"It is {n}." for n in reversed(range(60))]
    assert second.context["next"] is None
