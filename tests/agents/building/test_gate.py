"""A draft is compared with what is published on golden questions before it becomes a version."""

import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Grant, User
from accounts.services import share
from agents.building import drafts, gate, making, publishing
from agents.building.comparing import Fared, broken, losses_in, shifts
from agents.errors import AgentRefused
from agents.models import Agent, AgentVersion, Publication
from events import jobs
from events.models import Job
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from knowledge.models import Collection, GoldenQuestion
from knowledge.quality.errors import ChangeHeld
from knowledge.quality.services import Expectation, add_question
from security.models import AuditEntry
from tests.knowledge.conftest import (  # noqa: F401
    _files_apart,
    _ready_to_index,
    add_text,
    handbook,
    model_server,
)
from tests.knowledge.test_reranking import make_cross_encoder
from tests.support.cast import Api
from tests.support.model_server import ModelServer, Script

pytestmark = pytest.mark.django_db(transaction=True)  # searching and answering have own threads

HOUSES = ("otter", "heron", "badger", "lynx", "marten", "kestrel")
QUOTE = "The {} sleeps in the house by the pond."
NUMBERED = r'<data-[^>]* n="(\d+)"'
RERANK = {"understanding": {"rerank": True}}


@pytest.fixture(autouse=True)
def _no_routes_from_before():
    forget_routes()
    yield
    forget_routes()


@pytest.fixture
def houses(alice, handbook, add_text, settings, tmp_path) -> Collection:  # noqa: F811
    """Six questions, each answered by one of six documents, beside six lamps that the reranker
    here loves: it puts what answers last."""
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    for one in HOUSES:
        document = add_text(handbook, QUOTE.format(one), f"{one}.md")
        add_text(handbook, f"In the house by the pond the {one}'s lamp is lit.", f"{one}-lamp.md")
        add_question(
            alice, handbook, f"Where does the {one} sleep?", expected=[Expectation(document.pk)]
        )
    return handbook


@pytest.fixture
def agent(alice: User, houses: Collection) -> Agent:
    """Published as version 1, with the collection alone."""
    made = making.create_agent(
        alice,
        "Animals",
        {"instructions": "Be brief.", "is_limited": True, "collections": [houses.pk]},
    )
    publishing.publish(alice, made.pk, drafts.find_draft(alice, made.pk).version)
    return Agent.objects.get(pk=made.pk)


def saved(user: User, agent: Agent, **changes: Any) -> int:
    """The revision of the draft with these changes."""
    draft = drafts.find_draft(user, agent.pk)
    return drafts.save_draft(user, agent.pk, draft.version, changes).version


def carry_out(agent: Agent) -> Publication:
    jobs.run(str(Publication.objects.get(agent=agent).job_id))
    return Publication.objects.get(agent=agent)


def connect(server: ModelServer) -> None:
    model = Model.objects.create(name="house", kind=Model.Kind.CHAT, is_default=True)
    endpoint = Endpoint.objects.create(name="E", base_url=server.url)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="up")
    forget_routes()


def by_its_prompt(request: dict[str, Any]) -> str:
    """Who is told to be wrong says what no document does, and names none."""
    told = str(request["messages"])
    one = next(one for one in HOUSES if f"Where does the {one} sleep?" in told)
    if "Be wrong." in told:
        return f"Every {one} rents expensive apartments in Lisbon during winter holidays."
    before = told.partition(QUOTE.format(one))[0]
    return f"{QUOTE.format(one)[:-1]} [{re.findall(NUMBERED, before)[-1]}]."


def test_switches_that_lose_are_held_until_a_person_insists(alice, agent) -> None:
    revision = saved(alice, agent, **RERANK)
    waiting = gate.submit(alice, agent.pk, revision, "Better order.")
    assert isinstance(waiting, Publication)
    assert gate.submit(alice, agent.pk, revision) == waiting  # two clicks are one comparison
    held = carry_out(agent)
    assert (held.state, held.figures["answers"], held.figures["questions"]) == (
        "held", "no_model", len(HOUSES),
    )  # fmt: skip
    assert "ndcg" in losses_in(held.figures)
    assert {"hit", "ndcg"} == set(held.figures["measures"])
    assert len(held.figures["broken"]) == len(HOUSES)
    assert held.figures["broken"][0]["rank"][0] == 1
    agent.refresh_from_db()
    assert (agent.version, agent.understanding) == (1, {})
    with pytest.raises(ChangeHeld, match="Right passages high up"):
        gate.submit(alice, agent.pk, revision)
    entry = AuditEntry.objects.get(act="gate.held")
    assert (entry.object_id, "ndcg -" in str(entry.detail)) == (str(agent.pk), True)

    with pytest.raises(AgentRefused, match="Say why"):
        gate.insist(alice, agent.pk, revision, "  ")
    made = gate.insist(alice, agent.pk, revision, "The lamps are what people ask for.")
    assert (made.number, made.note) == (2, "Better order.")
    agent.refresh_from_db()
    assert agent.understanding == {"rerank": True}
    entry = AuditEntry.objects.get(act="gate.overridden")
    assert entry.detail["reason"] == "The lamps are what people ask for."
    assert "ndcg -" in entry.detail["losses"][0]
    assert not Publication.objects.exists()


def test_what_loses_nothing_is_published_at_the_end(alice, agent) -> None:
    revision = saved(alice, agent, max_passages=7)
    waiting = gate.submit(alice, agent.pk, revision, "One passage fewer.")
    later = saved(alice, agent, instructions="Written meanwhile.")
    done = carry_out(agent)
    assert (done.state, done.number, later > revision) == ("published", 2, True)
    agent.refresh_from_db()  # what was compared is what members use
    assert (agent.version, agent.max_passages, agent.instructions) == (2, 7, "Be brief.")
    assert AgentVersion.objects.get(agent=agent, number=2).note == "One passage fewer."
    assert drafts.has_changes(drafts.find_draft(alice, agent.pk))
    assert Job.objects.get(pk=waiting.job_id).total == 100  # percent
    assert not AuditEntry.objects.filter(act__startswith="gate.").exists()


def test_a_prompt_is_judged_by_the_answers_it_gets(alice, agent, model_server) -> None:  # noqa: F811
    connect(model_server)
    model_server.default = Script(text=by_its_prompt)
    gate.submit(alice, agent.pk, saved(alice, agent, instructions="Be wrong."))
    held = carry_out(agent)
    assert (held.state, held.figures["answers"]) == ("held", "answered"), held.reason
    assert set(losses_in(held.figures)) == {"cited", "supported"}
    told = held.figures["measures"]
    assert (told["cited"]["before"], told["cited"]["after"]) == (1.0, 0.0)
    assert (told["supported"]["before"], told["supported"]["after"]) == (1.0, 0.0)
    assert told["ndcg"]["before"] == told["ndcg"]["after"]  # a prompt finds what it found
    assert {"cited", "supported"} <= set(held.figures["broken"][0]["fell"])

    gate.submit(alice, agent.pk, saved(alice, agent, instructions="Be polite."))
    assert carry_out(agent).state == "published"
    assert len(model_server.chat_requests) == 4 * len(HOUSES)


def test_a_model_that_does_not_answer_says_nothing_against_it(
    alice,
    agent,
    model_server,  # noqa: F811
) -> None:
    connect(model_server)
    model_server.default = Script(status=400, error={"error": {"message": "no"}})
    gate.submit(alice, agent.pk, saved(alice, agent, instructions="Be polite."))
    done = carry_out(agent)
    assert (done.state, done.figures["answers"]) == ("published", "silent"), done.reason
    assert set(done.figures["measures"]) == {"hit", "ndcg"}
    assert len(model_server.chat_requests) < len(HOUSES)  # it is not asked on and on


def test_what_golden_questions_would_not_notice_is_published_at_once(alice, agent) -> None:
    made = gate.submit(alice, agent.pk, saved(alice, agent, description="Of animals."))
    assert isinstance(made, AgentVersion)
    GoldenQuestion.objects.all().delete()
    made = gate.submit(alice, agent.pk, saved(alice, agent, instructions="Be wrong."))
    assert isinstance(made, AgentVersion)
    first = making.create_agent(alice, "New", {"instructions": "Hello."})
    made = gate.submit(alice, first.pk, drafts.find_draft(alice, first.pk).version)
    assert isinstance(made, AgentVersion)
    assert not Publication.objects.exists()


def test_the_old_one_is_kept_and_another_draft_is_compared_anew(alice, agent) -> None:
    waiting = gate.submit(alice, agent.pk, saved(alice, agent, **RERANK))
    gate.keep_old(alice, agent.pk)
    assert Job.objects.get(pk=waiting.job_id).status == "cancelled"
    assert gate.find_publication(alice, agent.pk) is None
    first = gate.submit(alice, agent.pk, saved(alice, agent, max_passages=6))
    second = gate.submit(alice, agent.pk, saved(alice, agent, max_passages=7))
    assert Job.objects.get(pk=first.job_id).status == "cancelled"
    assert Publication.objects.get() == second


def test_nobody_waits_for_what_they_do_not_want_to_know(alice, agent) -> None:
    revision = saved(alice, agent, **RERANK)
    waiting = gate.submit(alice, agent.pk, revision)
    assert gate.insist(alice, agent.pk, revision, "It burns.").number == 2
    assert AuditEntry.objects.get(act="gate.overridden").detail["losses"] == ["not asked"]
    assert Job.objects.get(pk=waiting.job_id).status == "cancelled"


def test_what_was_overtaken_is_not_published(alice, agent) -> None:
    gate.submit(alice, agent.pk, saved(alice, agent, max_passages=7))
    publishing.restore(alice, agent.pk, 1)
    failed = carry_out(agent)
    assert (failed.state, failed.reason) == ("failed", gate.OVERTAKEN)
    gate.submit(alice, agent.pk, failed.revision)  # against the version of today
    assert carry_out(agent).state == "published"


def test_who_lost_the_right_meanwhile_publishes_nothing(alice, bob, agent, houses) -> None:
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    share(houses, bob, Grant.Role.READER, by=alice)
    gate.submit(bob, agent.pk, saved(bob, agent, max_passages=7))
    Grant.objects.filter(user=bob, kind=Grant.Kind.AGENT).delete()
    failed = carry_out(agent)
    assert (failed.state, failed.reason) == ("failed", gate.NOT_ALLOWED)
    for act in (gate.find_publication, gate.keep_old):
        with pytest.raises(Http404):
            act(bob, agent.pk)
    share(agent, bob, Grant.Role.READER, by=alice)
    with pytest.raises(PermissionDenied):
        gate.find_publication(bob, agent.pk)


def test_questions_that_the_author_may_not_see_hold_their_draft_back_and_stay_untold(
    alice,
    bob,
    agent,
    houses,
    model_server,  # noqa: F811
    api_for,
) -> None:
    model_server.default = Script(text=by_its_prompt)
    connect(model_server)
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    revision = saved(bob, agent, **RERANK)
    made = gate.submit(bob, agent.pk, revision)
    assert made.state == "asking"
    api: Api = api_for(bob, "read", "write")
    place = f"/agents/{agent.pk}"
    told = api.get(f"{place}/publication").json()
    assert (told["is_told"], told["questions"], told["measures"]) == (False, 0, [])
    held = carry_out(agent)
    assert held.state == "held"
    assert set(held.figures["measures"]) == {"hit", "ndcg"}  # nothing was answered for alice
    assert model_server.chat_requests == []
    told = api.get(f"{place}/publication").json()
    hidden = ("is_told", "questions", "answers", "measures", "worse")
    assert tuple(told[name] for name in hidden) == (False, 0, "", [], [])
    refused = api.post(f"{place}/publish", {"revision": revision})
    assert refused.status_code == 409
    assert "that you may not see" in refused.json()["detail"]
    verdict = api_for(alice).get(f"{place}/publication").json()
    assert (verdict["is_told"], verdict["questions"]) == (True, len(HOUSES))


def test_its_job_is_followed_and_stopped_by_who_may_change_the_agent(
    alice, bob, charlie, agent, api_for
) -> None:
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    share(agent, charlie, Grant.Role.READER, by=alice)
    made = gate.submit(alice, agent.pk, saved(alice, agent, **RERANK))
    place = f"/jobs/{made.job_id}"
    assert api_for(charlie).get(place).status_code == 404
    assert api_for(charlie, "write").post(f"{place}/cancel", {}).status_code == 404
    assert api_for(bob).get(place).json()["status"] == "queued"
    carry_out(agent)
    told = api_for(bob).get(place).json()
    assert (told["status"], told["done"], told["total"]) == ("succeeded", 100, 100)


def test_programs_are_told_the_same(alice, bob, agent, api_for, houses) -> None:
    api: Api = api_for(alice, "read", "write")
    place = f"/agents/{agent.pk}"
    assert api.get(f"{place}/publication").json()["state"] == "none"
    revision = saved(alice, agent, **RERANK)
    begun = api.post(f"{place}/publish", {"revision": revision})
    assert (begun.status_code, begun.json()["state"]) == (202, "asking")
    assert begun.json()["job_id"] == str(Publication.objects.get().job_id)
    carry_out(agent)
    held = api.get(f"{place}/publication").json()
    assert (held["state"], held["basis"], held["answers"]) == ("held", 1, "no_model")
    ndcg = next(one for one in held["measures"] if one["name"] == "ndcg")
    assert ndcg["loses"]
    assert ndcg["high"] < 0
    assert held["worse"][0]["question"].startswith("Where does the ")
    again = api.post(f"{place}/publish", {"revision": revision})
    assert (again.status_code, again.json()["type"]) == (409, "urn:parley:problem:change-held")
    unsaid = api.post(f"{place}/publish", {"revision": revision, "force": True})
    assert unsaid.status_code == 422

    share(agent, bob, Grant.Role.EDITOR, by=alice)  # who may not read the collection
    his = api_for(bob, "read", "write").get(f"{place}/publication").json()
    assert (his["state"], his["is_told"], his["measures"], his["worse"]) == ("held", False, [], [])
    refused = api_for(bob, "read", "write").post(f"{place}/publish", {"revision": revision})
    assert refused.status_code == 409
    assert b"questions)" not in refused.content  # nor by how much
    assert "collections that you may not see" in refused.json()["detail"]
    share(houses, bob, Grant.Role.READER, by=alice)
    assert api_for(bob, "read").get(f"{place}/publication").json()["is_told"]

    assert api.delete(f"{place}/publication").status_code == 204
    said = {"revision": revision, "force": True, "reason": "It is wanted."}
    assert api.post(f"{place}/publish", said).json()["number"] == 2


def test_the_page_says_what_became_worse(alice, agent, client) -> None:
    client.force_login(alice)
    gate.submit(alice, agent.pk, saved(alice, agent, **RERANK))
    part = f"/agents/{agent.pk}/publication/"
    assert 'hx-trigger="every 1s"' in client.get(part).content.decode()
    carry_out(agent)
    for address in (part, f"/agents/{agent.pk}/"):
        page = client.get(address).content.decode()
        assert "Publish nevertheless" in page
        assert "Where does the otter sleep?" in page
        assert "only what is found was compared" in page


def test_shifts_are_of_what_both_sides_know() -> None:
    questions = [GoldenQuestion(text=str(n)) for n in range(3)]
    before = [
        Fared(1, {"ndcg": 1.0, "supported": 1.0}),
        Fared(2, {"ndcg": 0.6}),
        Fared(1, {"ndcg": 1.0}),
    ]
    after = [
        Fared(None, {"ndcg": 0.0, "supported": 0.5}),
        Fared(1, {"ndcg": 1.0}),
        Fared(1, {"ndcg": 1.0}),
    ]
    found = shifts(before, after)
    assert set(found) == {"ndcg", "supported"}
    assert (found["supported"].before, found["supported"].after, found["supported"].change.n) == (
        1.0, 0.5, 1,
    )  # fmt: skip
    (worse,) = broken(questions, before, after)
    assert worse["question"] == str(questions[0].pk)
    assert worse["fell"] == {"ndcg": [1.0, 0.0], "supported": [1.0, 0.5]}
    (worse,) = broken(questions, before, after, left_out=("supported",))
    assert worse["fell"] == {"ndcg": [1.0, 0.0]}
