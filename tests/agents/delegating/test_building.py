"""Whom an agent may call, as its author says it: saved, published, compared, taken along."""

from uuid import UUID, uuid4

import pytest
from django.http import Http404

from accounts.models import Grant
from accounts.services import share
from agents.building import drafts, exchange, helping, making, publishing
from agents.building.api import draft_out
from agents.building.content import content_of
from agents.building.differences import differences
from agents.delegating.said import helpers_in
from agents.errors import AgentRefused
from agents.models import Agent
from agents.selectors import agent_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def law(alice):
    return Agent.objects.create(owner=alice, name="Law", slug="law", description="Contracts.")


@pytest.fixture
def lead(alice):
    return making.create_agent(alice, "Lead")


def save(user, agent, *helpers):
    draft = drafts.find_draft(user, agent.pk)
    said = [{"agent": pk, "way": way, "when": when} for pk, way, when in helpers]
    return drafts.save_draft(user, agent.pk, draft.version, {"helpers": said})


def test_they_are_published_with_the_rest_and_known_to_runs(alice, lead, law):
    draft = save(alice, lead, (law.pk, "ask", " About\nlaw. "), (law.pk, "hand_over", ""))
    publishing.publish(alice, lead.pk, draft.version)
    lead.refresh_from_db()
    asked, handed = agent_spec(lead).helpers
    assert (asked.agent_id, asked.way, asked.when) == (law.pk, "ask", "About law.")
    # Said once, by the author: what the other agent's owner writes later reaches no model.
    assert (handed.way, handed.when) == ("hand_over", "Contracts.")


def test_one_is_there_once_a_way_and_never_itself(alice, lead, law):
    draft = save(alice, lead, (law.pk, "ask", "a"), (law.pk, "ask", "b"))
    assert [one["when"] for one in draft.helpers] == ["b"]
    with pytest.raises(AgentRefused):
        save(alice, lead, (lead.pk, "ask", ""))


def test_one_that_the_author_may_not_use_is_like_one_that_is_not_there(alice, bob, lead):
    hidden = Agent.objects.create(owner=bob, name="Hidden", slug="hidden")
    for pk in (hidden.pk, uuid4()):
        with pytest.raises(Http404):
            save(alice, lead, (pk, "ask", ""))


def test_those_that_an_editor_may_not_use_stay_and_are_not_told(alice, bob, lead, law):
    save(alice, lead, (law.pk, "ask", "secret"))
    share(lead, bob, Grant.Role.EDITOR, by=alice)
    own = Agent.objects.create(owner=bob, name="Own", slug="own")
    draft = save(bob, lead, (own.pk, "ask", "mine"))
    assert {one["agent"] for one in draft.helpers} == {str(law.pk), str(own.pk)}
    told = draft_out(bob, drafts.find_draft(bob, lead.pk))
    assert [one["agent"] for one in told["content"]["helpers"]] == [str(own.pk)]
    assert told["hidden_helpers"] == 1
    assert "secret" not in str(told)
    found = differences(bob, {}, content_of(draft))
    assert "an agent that you may not use" in str(found)
    assert "Law" not in str(found)


def test_a_copy_has_those_that_its_maker_may_use(alice, bob, lead, law):
    save(alice, lead, (law.pk, "ask", ""))
    share(lead, bob, Grant.Role.EDITOR, by=alice)
    copied = making.duplicate(bob, lead.pk)
    assert drafts.find_draft(bob, copied.pk).helpers == []


def test_a_file_names_them_by_slug_and_finds_them_again(alice, bob, lead, law):
    draft = save(alice, lead, (law.pk, "ask", "About law."))
    said = exchange.as_file(alice, draft)["agent"]
    assert said["helpers"] == [{"agent": "law", "name": "Law", "way": "ask", "when": "About law."}]
    brought = exchange.read(alice, said)
    assert brought.unmatched == ()
    made = exchange.bring(alice, brought)
    assert helpers_in(drafts.find_draft(alice, made.pk).helpers) == helpers_in(draft.helpers)
    elsewhere = exchange.read(bob, said)
    assert elsewhere.content["helpers"] == []
    assert elsewhere.unmatched == ("No agent that you may use is called “Law”.",)


def test_a_renamed_one_is_found_by_its_name(alice, law):
    found, missing = helping.found_again(
        alice, [{"agent": "elsewhere", "name": "Law", "way": "ask"}, {"agent": "no", "way": "ask"}]
    )
    assert [one["agent"] for one in found] == [law.pk]
    assert missing == ["no"]


def test_over_the_api(alice, api_for, lead, law):
    api = api_for(alice)
    url = f"/agents/{lead.pk}/draft"
    revision = api.get(url).json()["revision"]
    helper = {"agent": str(law.pk), "way": "ask", "when": "About law."}
    saved = api.patch(url, {"revision": revision, "content": {"helpers": [helper]}})
    assert saved.status_code == 200, saved.content
    assert saved.json()["content"]["helpers"] == [helper]
    wrong = {"helpers": [{**helper, "agent": str(UUID(int=1))}]}
    refused = api.patch(url, {"revision": saved.json()["revision"], "content": wrong})
    assert refused.status_code == 404


def test_the_page_offers_those_that_the_author_may_use(alice, bob, client, lead, law):
    Agent.objects.create(owner=bob, name="Hidden", slug="hidden")
    save(alice, lead, (law.pk, "ask", "About law."))
    client.force_login(alice)
    page = client.get(f"/agents/{lead.pk}/").content.decode()
    assert "About law." in page
    assert "Hidden" not in page
