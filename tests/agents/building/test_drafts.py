"""Drafts and versions: saved piece by piece, published as a whole, brought back."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Grant, User
from accounts.services import share
from agents.building import drafts, exchange, making, publishing
from agents.building.content import content_of
from agents.building.decoding import with_usual
from agents.building.differences import compare, differences, summaries
from agents.errors import AgentRefused, DraftChanged, Unpublishable
from agents.models import Agent, AgentVersion
from agents.selectors import agent_spec, find_usable_agent, list_agents, may_use
from agents.services import ensure_builtin_agents
from agents.types.limits import Limits
from gateway.controls import Controls
from gateway.types import AS_IT_IS
from knowledge.services import create_collection

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(alice: User) -> Agent:
    return making.create_agent(alice, "Leave", {"instructions": "Be brief."})


def published(user: User, agent: Agent, **changes) -> AgentVersion:
    draft = drafts.find_draft(user, agent.pk)
    if changes:
        draft = drafts.save_draft(user, agent.pk, draft.version, changes)
    return publishing.publish(user, agent.pk, draft.version)


def test_what_is_not_published_is_nobodys_to_use(alice, bob, agent):
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    draft = drafts.find_draft(bob, agent.pk)
    assert list(list_agents(alice)) == []
    assert not may_use(alice, agent)
    with pytest.raises(Http404):
        find_usable_agent(alice, agent.slug)
    assert find_usable_agent(bob, draft.slug).pk == draft.pk
    assert published(alice, agent).number == 1
    assert [one.name for one in list_agents(bob)] == ["Leave"]
    assert Agent.objects.get(pk=agent.pk).instructions == "Be brief."


def test_a_draft_is_its_editors_and_nobody_elses(alice, bob, charlie, agent):
    published(alice, agent)
    share(agent, bob, Grant.Role.READER, by=alice)
    draft = drafts.find_draft(alice, agent.pk)
    with pytest.raises(PermissionDenied):
        drafts.find_draft(bob, agent.pk)
    with pytest.raises(Http404):
        drafts.find_draft(charlie, agent.pk)
    for person in (bob, charlie):
        with pytest.raises(Http404):
            find_usable_agent(person, draft.slug)
    assert not Agent.objects.filter(pk=draft.pk).exists()


def test_a_trial_is_on_the_agents_account_and_within_its_own_limits(alice, agent):
    draft = drafts.find_draft(alice, agent.pk)
    draft = drafts.save_draft(alice, agent.pk, draft.version, {"limits": {"steps": 6}})
    spec = agent_spec(draft)
    assert (spec.id, spec.limits.steps, spec.limits.calls) == (agent.pk, 6, Limits().calls)


def test_how_its_model_decodes_is_said_by_the_author_and_otherwise_by_a_request(alice, agent):
    said = {"top_p": 0.9, "presence_penalty": 0.0, "seed": 7, "avoided": ["delve", "tapestry"]}
    published(alice, agent, decoding=said)
    usual = agent_spec(Agent.objects.get(pk=agent.pk)).controls
    banned = {"delve": -100.0, "tapestry": -100.0}
    assert usual == Controls(top_p=0.9, presence_penalty=0.0, seed=7, word_bias=banned)
    asked = with_usual(Controls(seed=8, stop=("x",)), usual)
    assert asked == Controls(top_p=0.9, presence_penalty=0.0, seed=8, stop=("x",), word_bias=banned)
    (told,) = differences(alice, {"decoding": {}}, {"decoding": said})
    assert "Words to avoid: delve, tapestry" in "".join(one.text for one in told.words)
    plain = making.create_agent(alice, "Plain")
    assert agent_spec(drafts.find_draft(alice, plain.pk)).controls is AS_IT_IS


def test_two_tabs_do_not_write_over_each_other(alice, agent):
    first = drafts.find_draft(alice, agent.pk).version
    saved = drafts.save_draft(alice, agent.pk, first, {"description": "Mine"})
    with pytest.raises(DraftChanged):
        drafts.save_draft(alice, agent.pk, first, {"description": "Also mine"})
    with pytest.raises(DraftChanged):
        publishing.publish(alice, agent.pk, first)
    assert drafts.find_draft(alice, agent.pk).description == "Mine"
    assert saved.version == first + 1


def test_members_use_what_is_published_until_the_next_version(alice, agent):
    published(alice, agent)
    draft = drafts.find_draft(alice, agent.pk)
    drafts.save_draft(alice, agent.pk, draft.version, {"instructions": "Be long."})
    agent.refresh_from_db()
    assert (agent.version, agent.instructions) == (1, "Be brief.")
    assert drafts.has_changes(drafts.find_draft(alice, agent.pk))
    assert published(alice, agent).number == 2
    agent.refresh_from_db()
    assert agent.instructions == "Be long."


def test_a_version_is_brought_back_as_a_new_one(alice, agent):
    published(alice, agent)
    published(alice, agent, instructions="Be long.")
    assert publishing.restore(alice, agent.pk, 1).number == 3
    agent.refresh_from_db()
    assert agent.instructions == "Be brief."
    assert not drafts.has_changes(drafts.find_draft(alice, agent.pk))
    draft = drafts.find_draft(alice, agent.pk)
    drafts.save_draft(alice, agent.pk, draft.version, {"instructions": "Unfinished"})
    publishing.restore(alice, agent.pk, 2)
    assert drafts.find_draft(alice, agent.pk).instructions == "Unfinished"
    versions = publishing.list_versions(alice, agent.pk)
    assert [one.number for one in versions] == [4, 3, 2, 1]
    assert summaries([one.content for one in versions])[:2] == ["Instructions"] * 2


def test_what_cannot_be_used_is_not_published(alice, agent):
    for changes in ({"name": " "}, {"model_name": "nobody-has-it"}):
        with pytest.raises(Unpublishable):
            published(alice, agent, **changes)
        drafts.save_draft(
            alice, agent.pk, drafts.find_draft(alice, agent.pk).version,
            {"name": "Leave", "model_name": ""},
        )  # fmt: skip
    published(alice, agent)
    with pytest.raises(Unpublishable):
        published(alice, agent)


def test_collections_are_those_that_the_author_may_see(alice, bob, agent):
    hers, his = create_collection(alice, "Hers"), create_collection(bob, "His")
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    published(alice, agent, is_limited=True, collections=[hers.pk])
    draft = drafts.find_draft(bob, agent.pk)
    with pytest.raises(Http404):
        drafts.save_draft(bob, agent.pk, draft.version, {"collections": [hers.pk]})
    draft = drafts.save_draft(bob, agent.pk, draft.version, {"collections": [his.pk]})
    assert set(draft.collections.all()) == {hers, his}
    assert drafts.hidden_collections(bob, draft) == [hers.pk]
    draft = drafts.save_draft(bob, agent.pk, draft.version, {"is_limited": False})
    assert not draft.collections.exists()


def test_an_agent_that_was_made_elsewhere_has_its_first_version_kept(admin, alice):
    builtin = ensure_builtin_agents(admin)
    assert published(admin, builtin, instructions="Be kind.").number == 2
    assert [one.number for one in publishing.list_versions(admin, builtin.pk)] == [2, 1]
    with pytest.raises(AgentRefused):
        making.delete_agent(admin, builtin.pk)


def test_an_edit_elsewhere_is_a_version_too(alice, agent):
    published(alice, agent)
    row = Agent.objects.get(pk=agent.pk)
    publishing.keep_current(row)
    row.instructions = "By hand."
    row.save()
    assert publishing.record_edit(row, alice).number == 2
    draft = drafts.find_draft(alice, agent.pk)
    assert (draft.instructions, drafts.has_changes(draft)) == ("By hand.", False)


def test_who_may_make_agents_is_a_setting(alice, admin, settings):
    settings.PARLEY_AGENTS = "administrators"
    with pytest.raises(PermissionDenied):
        making.create_agent(alice, "Leave")
    assert making.create_agent(admin, "Leave").version == 0


def test_deleting_takes_draft_versions_and_grants_along(alice, bob, agent):
    published(alice, agent)
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    with pytest.raises(PermissionDenied):
        making.delete_agent(bob, agent.pk)
    making.delete_agent(alice, agent.pk)
    assert not Agent.drafts.exists()
    assert not AgentVersion.objects.exists()
    assert not Grant.objects.filter(kind=Grant.Kind.AGENT).exists()


def test_a_copy_says_the_same_and_is_ones_own(alice, bob, agent):
    published(alice, agent, starters=["How many days?"])
    share(agent, bob, Grant.Role.EDITOR, by=alice)
    made = making.duplicate(bob, agent.pk)
    draft = drafts.find_draft(bob, made.pk)
    assert (made.owner, draft.name, draft.starters) == (bob, "Leave (copy)", ["How many days?"])
    assert made.slug != agent.slug


def test_a_file_is_brought_in_with_what_there_is_here(alice, bob, agent):
    shared, hers = create_collection(bob, "Rules"), create_collection(alice, "Secrets")
    share(shared, alice, Grant.Role.READER, by=bob)
    draft = drafts.find_draft(alice, agent.pk)
    draft = drafts.save_draft(
        alice, agent.pk, draft.version,
        {"is_limited": True, "collections": [shared.pk, hers.pk], "starters": ["Why?"]},
    )  # fmt: skip
    file = exchange.as_file(alice, draft)["agent"] | {"tools": ["no_such_tool"]}
    assert file["collections"] == ["Rules", "Secrets"]
    brought = exchange.read(bob, file)
    assert len(brought.unmatched) == 2
    made = drafts.find_draft(bob, exchange.bring(bob, brought).pk)
    assert list(made.collections.all()) == [shared]
    assert (made.starters, made.tools, made.is_limited) == (["Why?"], [], True)


def test_differences_are_told_word_by_word(alice, agent):
    before = content_of(agent)
    words = list(compare("Be brief and 准确。", "Be exact and 准时。"))
    assert [(one.kind, one.text) for one in words] == [
        ("same", "Be "), ("old", "brief"), ("new", "exact"), ("same", " and 准"),
        ("old", "确"), ("new", "时"), ("same", "。"),
    ]  # fmt: skip
    after = before | {"limits": {"steps": 6}, "reuse": "person", "understanding": {"filters": True}}
    found = differences(alice, before, after)
    assert [one.field for one in found] == ["understanding", "limits", "reuse"]
    older = {name: said for name, said in before.items() if name not in ("decoding", "guardrails")}
    assert differences(alice, older, before) == []
    assert summaries([before, older]) == ["", ""]
