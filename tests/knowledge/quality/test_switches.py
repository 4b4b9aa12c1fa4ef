"""A way of understanding is tried on the golden questions before it is switched on."""

from typing import Any

import pytest

from events import jobs
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.models import QualityRun
from knowledge.quality import gate, running
from knowledge.quality.errors import ChangeHeld
from knowledge.quality.services import Expectation, add_question
from security.models import AuditEntry
from tests.knowledge.test_reranking import make_cross_encoder
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db(transaction=True)  # whoever reranks reads in its own thread

HOUSES = ("otter", "heron", "badger", "lynx", "marten", "kestrel")
RERANK = {"rerank": True}


@pytest.fixture
def lit(alice, handbook, add_text, settings, tmp_path):
    """Six questions, each answered by one of six documents, beside six lamps. The reranker here
    loves the word "lit", which stands in the lamps' documents alone: it puts what answers last."""
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    for one in HOUSES:
        document = add_text(handbook, f"The {one} sleeps in the house by the pond.", f"{one}.md")
        add_text(handbook, f"In the house by the pond the {one}'s lamp is lit.", f"{one}-lamp.md")
        add_question(
            alice, handbook, f"Where does the {one} sleep?", expected=[Expectation(document.pk)]
        )
    return handbook


def carry_out() -> None:
    for run in QualityRun.objects.filter(state="waiting"):
        jobs.run(str(run.job_id))


def check(collection: Any, user: Any, said: dict[str, bool] = RERANK, **more: Any) -> Any:
    return gate.check_switches(collection, said, user, **more)


def test_what_loses_is_held_and_an_override_is_logged(alice, lit) -> None:
    with pytest.raises(ChangeHeld, match="being asked"):
        check(lit, alice)
    carry_out()
    without, reranked = QualityRun.objects.filter(cause="gate").order_by("pk")
    assert ("ways" in without.settings, reranked.settings["ways"]) == (False, "rerank")
    assert reranked.figures["hit_1"] < without.figures["hit_1"] == 1.0
    with pytest.raises(ChangeHeld, match="the right passages stand lower"):
        check(lit, alice)
    assert QualityRun.objects.count() == 2  # what is known is not asked again
    assert check(lit, alice, is_forced=True)["ndcg"].loses
    entry = AuditEntry.objects.get(act="gate.overridden")
    assert "ndcg -" in str(entry.detail)


def test_what_gains_is_told(alice, lit) -> None:
    for question in lit.golden_questions.all():  # now the lamps are what is wanted
        lamp = question.expected.get().document.title + "-lamp.md"
        document = lit.documents.get(file_name=lamp)
        question.expected.update(document=document)
    with pytest.raises(ChangeHeld):
        check(lit, alice)
    carry_out()
    assert check(lit, alice)["ndcg"].gains
    assert not AuditEntry.objects.filter(act__startswith="gate.").exists()


def test_nothing_is_asked_where_there_is_nothing_to_lose(alice, lit, handbook) -> None:
    assert check(lit, alice, {}) == check(lit, alice, {"rerank": False, "glossary": True}) == {}
    lit.understanding = RERANK
    lit.save()
    assert check(lit, alice) == check(lit, alice, {}) == {}  # it is on, and off is no risk
    lit.golden_questions.all().delete()
    assert check(lit, alice, RERANK | {"parts": True}) == {}
    assert not QualityRun.objects.exists()


def test_a_collection_is_asked_as_its_answers_are_found(alice, lit) -> None:
    plain = running.carry_out(running.make_run(lit, running.Cause.HAND, alice))
    lit.understanding = RERANK
    lit.save()
    run = running.carry_out(running.make_run(lit, running.Cause.HAND, alice))
    assert run.settings["ways"] == "rerank"
    assert running.changes_of(run)["ndcg"].loses
    assert run.before == plain


def test_on_the_page_and_by_the_api(alice, lit, client) -> None:
    client.force_login(alice)
    place = f"/knowledge/{lit.pk}/understanding/switches"
    held = client.post(place, {"understanding_rerank": "on"})
    assert held.status_code == 200
    assert "Save nevertheless" in held.content.decode()
    lit.refresh_from_db()
    assert lit.understanding == {}
    carry_out()
    address, change = f"/api/v1/collections/{lit.pk}", {"understanding": RERANK}
    refused = client.patch(address, change, content_type="application/json")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "change-held")
    forced = client.patch(address, change | {"force": True}, content_type="application/json")
    assert forced.json()["understanding"] == RERANK
    client.post(place, {})
    lit.refresh_from_db()
    assert lit.understanding == {}


def test_tried_without_being_switched_on(alice, lit, client) -> None:
    client.force_login(alice)
    address = f"/api/v1/collections/{lit.pk}/quality/runs"
    begun = client.post(address, {"ways": ["rerank"]}, content_type="application/json")
    assert begun.status_code == 202, begun.content
    assert begun.json()["ways"] == ["rerank"]
    carry_out()
    assert QualityRun.objects.get().figures["hit_1"] < 1
    assert running.latest_run(lit) is None  # it is no part of the trend
    wrong = client.post(address, {"ways": ["guess"]}, content_type="application/json")
    assert wrong.status_code == 422


@pytest.fixture
def unlit(lit, settings):
    """Without the reranker of this machine, and with no route known from before."""
    settings.PARLEY_CROSS_ENCODER = ""
    forget_routes()
    yield lit
    forget_routes()


def connect(server: Any, kind: str) -> None:
    model = Model.objects.create(name=f"a {kind}", kind=kind, is_default=True)
    endpoint = Endpoint.objects.create(name=kind, base_url=server.url)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="up")
    forget_routes()


def asked_with() -> list[str]:
    runs = QualityRun.objects.filter(settings__ways="rerank").order_by("pk")
    return [run.settings["reranker"] for run in runs]


def test_what_a_rerank_model_loses_is_held(alice, unlit, model_server) -> None:
    """The scripted one counts shared words: the lamps' sentences say no less of the question."""
    connect(model_server, Model.Kind.RERANK)
    with pytest.raises(ChangeHeld, match="being asked"):
        check(unlit, alice)
    carry_out()
    assert asked_with() == ["endpoint:a rerank"]
    assert any("documents" in (request.json or {}) for request in model_server.requests)
    _without, reranked = QualityRun.objects.filter(cause="gate").order_by("pk")
    assert "unranked" not in reranked.figures


def test_what_a_chat_model_loses_is_held(alice, unlit, model_server) -> None:
    connect(model_server, Model.Kind.CHAT)
    model_server.default = Script(text="12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1")
    with pytest.raises(ChangeHeld, match="being asked"):
        check(unlit, alice)
    carry_out()
    assert asked_with() == ["listwise"]
    with pytest.raises(ChangeHeld, match="the right passages stand lower"):
        check(unlit, alice)


def test_the_search_s_own_features_are_asked_too(alice, unlit) -> None:
    with pytest.raises(ChangeHeld, match="being asked"):
        check(unlit, alice)
    carry_out()
    assert asked_with() == ["features"]
    assert not check(unlit, alice)["ndcg"].loses


def test_another_reranker_is_asked_anew(alice, unlit, model_server) -> None:
    with pytest.raises(ChangeHeld):
        check(unlit, alice)
    carry_out()
    check(unlit, alice)
    connect(model_server, Model.Kind.RERANK)
    with pytest.raises(ChangeHeld, match="being asked"):
        check(unlit, alice)
    carry_out()
    assert asked_with() == ["features", "endpoint:a rerank"]


def test_one_that_does_not_answer_tells_nothing(alice, unlit, model_server, settings) -> None:
    """The fused order stood for all of it: that is no measurement of the reranker."""
    connect(model_server, Model.Kind.RERANK)
    settings.PARLEY_RERANK_SECONDS = 0.01
    model_server.queue_reranks(*[Script(head_delay=1)] * len(HOUSES))
    with pytest.raises(ChangeHeld, match="being asked"):
        check(unlit, alice)
    carry_out()
    with pytest.raises(ChangeHeld, match="did not answer"):
        check(unlit, alice)
    settings.PARLEY_RERANK_SECONDS = 30
    carry_out()
    check(unlit, alice)
    assert len(asked_with()) == 2
