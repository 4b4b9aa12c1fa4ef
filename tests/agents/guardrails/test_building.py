"""Rules of agents: in drafts, versions, comparisons and files; and what is refused, in words."""

import pytest

from agents.building.content import put_content
from agents.building.drafts import find_draft
from agents.building.making import create_agent
from agents.guardrails.rules import ADAPTER, parse
from agents.models import Agent
from agents.selectors import agent_spec

pytestmark = pytest.mark.django_db
MAILS = {"name": "Mails", "kind": "personal_data", "places": ["input"], "action": "mask"}


@pytest.fixture
def agent(alice):
    return create_agent(alice, "Clerk")


def patch(api, agent, rules, **more):
    draft = Agent.drafts.get(draft_of=agent)
    body = {"revision": draft.version, "content": {"guardrails": rules} | more}
    return api.patch(f"/api/v1/agents/{agent.pk}/draft", body, content_type="application/json")


def test_a_rule_goes_with_the_draft_the_version_and_the_file(client, alice, agent):
    client.force_login(alice)
    answer = patch(client, agent, [MAILS])
    assert answer.status_code == 200, answer.content
    (kept,) = answer.json()["content"]["guardrails"]
    assert kept["data"] == ["email", "phone", "card", "iban", "identity"]
    assert kept["on_failure"] == "closed"
    url = f"/api/v1/agents/{agent.pk}"
    revision = answer.json()["revision"]
    given = {"revision": revision}
    assert client.post(f"{url}/publish", given, content_type="application/json").status_code == 201
    agent.refresh_from_db()
    assert agent_spec(agent).guardrails == (kept,)
    answer = patch(client, agent, [{**MAILS, "action": "block"}])
    given = {"revision": answer.json()["revision"]}
    client.post(f"{url}/publish", given, content_type="application/json")
    (changed,) = client.get(f"{url}/versions/2/changes?since=1").json()
    assert changed["label"] == "Guardrails"
    words = {word["kind"]: word["text"].strip() for word in changed["words"]}
    assert (words["old"], words["new"]) == ("mask", "block")
    file = client.get(f"{url}/export").json()
    assert file["agent"]["guardrails"][0]["action"] == "block"
    brought = client.post(
        "/api/v1/agents/import", {"file": file}, content_type="application/json"
    ).json()
    assert parse(find_draft(alice, brought["id"]).guardrails)[0].action == "block"


@pytest.mark.parametrize(
    ("rule", "where", "said"),
    [
        ({"kind": "regex", "pattern": "(a+)+$"}, "pattern", "takes too long"),
        ({"kind": "regex", "pattern": "(x+x+)+y"}, "pattern", "takes too long"),
        ({"kind": "regex", "pattern": "(("}, "pattern", "no regular expression"),
        ({"kind": "regex", "pattern": "a*"}, "", "empty text"),
        ({"kind": "language", "languages": ["xx"]}, "languages", "not told apart"),
        ({"kind": "domains", "allowed": ["no domain!"]}, "allowed", "is no domain"),
        ({"kind": "length", "most": 0}, "most", "greater than"),
        ({"kind": "length", "most": 5, "action": "mask"}, "", "as a whole"),
        ({"kind": "injection", "action": "block"}, "", "is advice"),
        ({"kind": "language", "languages": ["en"], "places": ["tool_call"]}, "", "these places"),
        ({"kind": "secrets", "action": "ask"}, "", "calls of tools"),
        ({"kind": "nothing"}, "", "kind"),
        ({"kind": "secrets", "pattern": "x"}, "pattern", ""),
        ({"kind": "topic", "mode": "only", "examples": []}, "examples", ""),
        ({"kind": "secrets", "places": []}, "places", ""),
    ],
    ids=lambda value: "-".join(map(str, value.values()))[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_a_rule_is_refused_with_its_place(client, alice, agent, rule, where, said):
    client.force_login(alice)
    wrong = {"name": "R", "places": ["output"], "action": "block"} | rule
    answer = patch(client, agent, [MAILS, wrong])
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert "guardrails/1" in error["pointer"]
    assert where in error["pointer"]
    assert said in error["detail"]
    assert find_draft(alice, agent.pk).guardrails == []


def test_quick_patterns_are_taken():
    for pattern in (r"\bproject-\d{4}\b", r"(?:foo|bar)+baz", r"[\u4e00-\u9fff]{2}市", r"^AB-\d+"):
        rule = MAILS | {"kind": "regex", "pattern": pattern}
        assert ADAPTER.validate_python(rule).pattern == pattern


def test_a_version_of_before_guardrails_keeps_what_is_there(alice, agent):

    draft = find_draft(alice, agent.pk)
    put_content(draft, {"guardrails": [MAILS]})
    put_content(draft, {"name": "Older"})
    assert draft.guardrails == [MAILS]


def test_the_builder_has_them(client, alice, agent):
    client.force_login(alice)
    patch(client, agent, [MAILS])
    page = client.get(f"/agents/{agent.pk}/").content.decode()
    assert "guardrail-template" in page
    assert "Mails" in page
