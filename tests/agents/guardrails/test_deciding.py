"""A rule that asks goes through the approvals, every time, and is never weaker than the policy."""

import pytest
from asgiref.sync import async_to_sync

from agents.authority.deciding import decide
from agents.authority.ruleset import forget_rules
from agents.authority.types import RunState
from agents.models import Agent, Approval, PolicyRule, ToolPermission
from agents.tools.types import Effect, Tool, ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask
from security.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "A rule wants it."


async def _done(calling, arguments):
    return ToolOutput("done")


@pytest.fixture(autouse=True)
def _no_rules():
    forget_rules()
    yield
    forget_rules()


def decided(alice, effect, asks, *, allowed=False):
    agent = Agent.objects.create(owner=alice, name="Clerk", slug=f"clerk-{new_id()}")
    task = AgentTask(AgentSpec(id=agent.pk), alice, "Look")
    tool = Tool("look", "Look", "Looks.", effect, {}, _done)
    if allowed:
        ToolPermission.objects.create(owner=alice, agent=agent, tool="look", title="Look")
    calling = ToolCalling(task, "call_1", asks=asks)
    state = RunState(new_id(), conversation_id=new_id())
    return async_to_sync(decide)(calling, tool, {"to": "x"}, state)


def test_what_the_policy_allows_is_asked_about(alice):
    assert decided(alice, Effect.READS, "").kind == "allow"
    assert decided(alice, Effect.READS, WHY).kind == "ask"
    row = Approval.objects.get()
    assert WHY in row.kept_reason
    assert row.longest == "once"


def test_what_was_allowed_always_is_asked_about_all_the_same(alice):
    assert decided(alice, Effect.SENDS, "", allowed=True).kind == "allow"
    assert decided(alice, Effect.SENDS, WHY, allowed=True).kind == "ask"


def test_what_the_policy_refuses_stays_refused(alice):
    PolicyRule.objects.create(kind="deny", tool="look", reason="Never.")
    forget_rules()
    assert decided(alice, Effect.READS, WHY).kind == "deny"
    assert not Approval.objects.exists()
