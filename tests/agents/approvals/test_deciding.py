"""An approval is good for one call, of one run, by one person; everything else is refused."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from agents.approvals import services
from agents.approvals.digests import canonical
from agents.approvals.errors import AlreadyDecided, NotForSoLong, OtherCall, TooLate
from agents.authority.deciding import decide
from agents.authority.ruleset import forget_rules
from agents.authority.types import RunState
from agents.models import Agent, Approval, PolicyRule, ToolPermission
from agents.tools.models import ToolExecution
from agents.tools.types import Effect, Taint, Tool, ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask
from chat import services as chat
from chat.retention import deletion
from events.models import Stream
from security.ids import new_id
from security.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
ARGUMENTS = {"to": "bob@example.org", "text": "Ahoj"}
BOTH = frozenset(Taint)


async def _done(calling, arguments):
    return ToolOutput("done")


def tool(name="send_mail", effect=Effect.SENDS, **fields) -> Tool:
    return Tool(name, "Send mail", "Sends it.", effect, {}, _done, **fields)


@pytest.fixture(autouse=True)
def _no_rules():
    forget_rules()


@pytest.fixture
def agent(alice) -> Agent:
    return Agent.objects.create(owner=alice, name="Clerk", slug="clerk")


@pytest.fixture
def calling(alice, agent) -> ToolCalling:
    task = AgentTask(AgentSpec(id=agent.pk), alice, "Write to Bob")
    return ToolCalling(task, "call_1")


@pytest.fixture
def state() -> RunState:
    return RunState(new_id(), conversation_id=new_id())


def asked(calling, state, arguments=ARGUMENTS, of=None):
    return async_to_sync(decide)(calling, of or tool(), arguments, state)


def approval(verdict) -> Approval:
    return Approval.objects.get(pk=verdict.approval_id)


def approve(user, verdict, scope="once", answer="approve"):
    row = approval(verdict)
    return services.decide(user, row.pk, answer, row.digest, scope)


def begin(calling, state):
    ToolExecution.objects.create(
        run_id=state.run_id, call_id=calling.call_id, owner=calling.user, tool="send_mail"
    )


def test_what_reads_is_allowed_and_nobody_is_asked(calling, state):
    for effect in (Effect.NONE, Effect.READS):
        verdict = asked(calling, replace(state, taints=BOTH), of=tool(effect=effect))
        assert verdict.kind == "allow"
    assert not Approval.objects.exists()


def test_what_reads_at_a_server_tells_it_what_was_read_before(calling, state):
    """An address, a name, a whole sentence can stand in the question."""
    reading = tool("far__find", Effect.READS, server="far")
    assert asked(calling, replace(state, taints=frozenset({Taint.UNTRUSTED})), of=reading).kind == (
        "allow"
    )
    for taints in (frozenset({Taint.PRIVATE}), BOTH):
        verdict = asked(
            replace(calling, call_id=str(taints)), replace(state, taints=taints), of=reading
        )
        assert (verdict.kind, approval(verdict).effect) == ("ask", "sends")


def test_a_rule_about_reading_holds_where_the_call_sends_too(calling, state):
    PolicyRule.objects.create(
        server="far", effect=Effect.READS, kind="deny", reason="Not from here."
    )
    forget_rules()
    reading = tool("far__find", Effect.READS, server="far")
    for taints in (frozenset(), BOTH):
        assert asked(calling, replace(state, taints=taints), of=reading).kind == "deny"


def test_asked_once_approved_once_used_once(calling, state, alice):
    verdict = asked(calling, state)
    assert (verdict.kind, asked(calling, state).approval_id) == ("ask", verdict.approval_id)
    row = approval(verdict)
    assert row.arguments == canonical(ARGUMENTS)
    assert (row.owner, row.status, row.reason) == (alice, "waiting", verdict.reason)
    approve(alice, verdict)
    assert asked(calling, state).kind == "allow"
    assert approval(verdict).status == "used"
    begin(calling, state)
    replayed = asked(calling, state)
    assert (replayed.kind, "that call was made" in replayed.reason) == ("deny", True)


def test_used_by_a_runner_that_died_before_it_began_is_asked_about_again(calling, state, alice):
    first = asked(calling, state)
    approve(alice, first)
    assert asked(calling, state).kind == "allow"
    again = asked(calling, state)
    assert (again.kind, again.approval_id != first.approval_id) == ("ask", True)
    approve(alice, again)
    assert asked(calling, state).kind == "allow"
    begin(calling, state)
    assert asked(calling, state).kind == "deny"


def test_a_run_whose_wake_was_lost_is_woken_by_the_clock(calling, state, alice):
    """Whoever decided died between the commit and the doorbell."""
    stream = Stream.objects.create(id=state.run_id, kind="turn", state=Stream.State.WAITING)
    row = approval(asked(calling, state))
    services.sweep()
    stream.refresh_from_db()
    assert stream.state == "waiting"
    Approval.objects.filter(pk=row.pk).update(status="approved")
    services.sweep()
    stream.refresh_from_db()
    assert stream.state == "queued"


def test_s49_one_byte_more_voids_the_approval(calling, state, alice):
    verdict = asked(calling, state)
    approve(alice, verdict)
    swapped = asked(calling, state, ARGUMENTS | {"text": "Ahoj."})
    assert (swapped.kind, "not the call" in swapped.reason) == ("deny", True)
    other_tool = asked(calling, state, of=tool("send_fax"))
    other_server = asked(calling, state, of=tool(server="elsewhere"))
    assert {other_tool.kind, other_server.kind} == {"deny"}
    assert AuditEntry.objects.filter(act="approval.swapped").count() == 3
    assert asked(calling, state).kind == "allow"


def test_the_order_of_arguments_is_no_byte_of_them(calling, state, alice):
    approve(alice, asked(calling, state))
    assert asked(calling, state, dict(reversed(ARGUMENTS.items()))).kind == "allow"


def test_s50_another_run_or_person_gets_nothing_of_it(calling, state, alice, bob):
    verdict = asked(calling, state)
    row = approval(verdict)
    for stranger in (bob, User.objects.create_superuser("root@example.org", "x")):
        with pytest.raises(Http404):
            services.decide(stranger, row.pk, "approve", row.digest)
        with pytest.raises(Http404):
            services.find_approval(stranger, row.pk)
    approve(alice, verdict)
    assert asked(calling, replace(state, run_id=new_id())).kind == "ask"
    of_bob = replace(calling, task=replace(calling.task, user=bob))
    assert asked(of_bob, state).kind == "deny"
    assert asked(replace(calling, call_id="call_2"), state).kind == "ask"


def test_what_was_shown_is_what_is_approved(calling, state, alice):
    verdict = asked(calling, state)
    row = approval(verdict)
    with pytest.raises(OtherCall):
        services.decide(alice, row.pk, "approve", "0" * 64)
    Approval.objects.filter(pk=row.pk).update(arguments=canonical({"to": "mallory"}))
    with pytest.raises(OtherCall):
        services.decide(alice, row.pk, "approve", row.digest)
    assert approval(verdict).status == "waiting"


def test_a_decision_stays_and_is_in_the_audit_log(calling, state, alice):
    verdict = asked(calling, state)
    approve(alice, verdict, answer="deny")
    for answer in ("approve", "deny"):
        with pytest.raises(AlreadyDecided):
            approve(alice, verdict, answer=answer)
    denied = asked(calling, state)
    assert (denied.kind, "did not approve" in denied.reason) == ("deny", True)
    entry = AuditEntry.objects.get(act="approval.refused")
    assert (entry.actor_id, entry.title) == (alice.pk, "send_mail")
    assert "Ahoj" not in str(entry.detail)


def test_two_clicks_at_once_are_one_decision(calling, state, alice):
    row = approval(asked(calling, state))
    outcomes, start = [], Barrier(2)

    def click(answer):
        start.wait()
        try:
            services.decide(alice, row.pk, answer, row.digest)
            outcomes.append(answer)
        except AlreadyDecided:
            outcomes.append("late")
        finally:
            connection.close()

    threads = [Thread(target=click, args=[answer]) for answer in ("approve", "deny")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["approve", "late"], ["deny", "late"])


def test_nobody_in_time_is_a_no(calling, state, alice):
    verdict, other = asked(calling, state), asked(replace(calling, call_id="b"), state)
    past = timezone.now() - timedelta(seconds=1)
    Approval.objects.update(expires_at=past)
    with pytest.raises(TooLate):
        approve(alice, verdict)
    late = asked(calling, state)
    assert (late.kind, "in time" in late.reason) == ("deny", True)
    assert services.sweep() == 1
    assert approval(other).status == "expired"
    with pytest.raises(TooLate):
        approve(alice, other)


def test_old_decisions_are_forgotten_and_waiting_ones_are_not(calling, state, alice):
    approve(alice, asked(calling, state))
    waiting = asked(replace(calling, call_id="b"), state)
    Approval.objects.update(created_at=timezone.now() - timedelta(days=31))
    services.sweep()
    assert [row.pk for row in Approval.objects.all()] == [waiting.approval_id]


def test_always_is_for_this_agent_tool_and_server(calling, state, alice, bob):
    approve(alice, asked(calling, state), scope="always")
    elsewhere = RunState(new_id(), conversation_id=new_id())
    assert asked(calling, elsewhere).kind == "allow"
    assert asked(calling, replace(elsewhere, is_interactive=False)).kind == "allow"
    assert asked(calling, elsewhere, of=tool(server="wiki")).kind == "ask"
    another = replace(calling.task.agent, id=None)
    calls = [
        replace(calling, task=replace(calling.task, user=bob), call_id="1"),
        replace(calling, task=replace(calling.task, agent=another), call_id="2"),
    ]
    assert {asked(call, elsewhere).kind for call in calls} == {"ask"}


def test_for_a_conversation_is_for_that_one(calling, state, alice):
    approve(alice, asked(calling, state), scope="conversation")
    assert asked(calling, replace(state, run_id=new_id())).kind == "allow"
    elsewhere = replace(state, run_id=new_id(), conversation_id=new_id())
    assert asked(calling, elsewhere).kind == "ask"


def test_always_never_covers_private_data_beside_untrusted_text(calling, state, alice):
    approve(alice, asked(calling, state), scope="always")
    tainted = RunState(new_id(), BOTH, conversation_id=state.conversation_id)
    verdict = asked(calling, tainted)
    assert verdict.kind == "ask"
    for scope in ("always", "conversation"):
        with pytest.raises(NotForSoLong):
            approve(alice, verdict, scope=scope)
    approve(alice, verdict)
    assert asked(calling, tainted).kind == "allow"
    assert asked(calling, replace(tainted, run_id=new_id())).kind == "ask"


def test_a_permission_is_theirs_to_see_and_take_back(calling, state, alice, bob):
    approve(alice, asked(calling, state), scope="always")
    permission = services.list_permissions(alice).get()
    assert not services.list_permissions(bob).exists()
    with pytest.raises(Http404):
        services.revoke_permission(bob, permission.pk)
    services.revoke_permission(alice, permission.pk)
    assert asked(calling, replace(state, run_id=new_id())).kind == "ask"
    assert AuditEntry.objects.filter(act="permission.revoked").count() == 1


def test_where_nobody_can_be_asked_it_is_refused_with_where_to(calling, state):
    verdict = asked(calling, replace(state, is_interactive=False))
    assert (verdict.kind, "in the browser" in verdict.reason) == ("deny", True)
    assert not Approval.objects.exists()


def test_a_call_whose_end_is_not_known_is_asked_about_again(calling, state, alice):
    approve(alice, asked(calling, state))
    assert asked(calling, state).kind == "allow"
    again = asked(calling, replace(state, attempt=2))
    assert again.kind == "ask"
    approve(alice, again)
    assert asked(calling, replace(state, attempt=2)).kind == "allow"


def test_what_only_reads_is_made_again_by_the_same_yes_where_its_runner_died(calling, state, alice):
    PolicyRule.objects.create(kind="ask", tool="look")
    forget_rules()
    look, taken_up = tool("look", Effect.READS), replace(state, attempt=2)
    first = asked(calling, state, of=look)
    approve(alice, first)
    assert asked(calling, state, of=look).kind == "allow"
    begin(calling, state)
    again = asked(calling, taken_up, of=look)
    assert (again.kind, again.approval_id) == ("allow", first.approval_id)
    assert asked(calling, state, of=look).kind == "deny"  # it is no second call
    assert asked(calling, taken_up, {"to": "eve@example.org"}, of=look).kind == "ask"


def test_a_no_or_a_call_that_tells_a_server_is_not_made_again(calling, state, alice):
    PolicyRule.objects.create(kind="ask", tool="look")
    forget_rules()
    refused = asked(calling, state, of=tool("look", Effect.READS))
    approve(alice, refused, answer="deny")
    taken_up = replace(state, attempt=2)
    assert asked(calling, taken_up, of=tool("look", Effect.READS)).kind == "ask"
    private = replace(state, run_id=new_id(), taints=frozenset({Taint.PRIVATE}))
    far = tool("far__find", Effect.READS, server="far")
    approve(alice, asked(calling, private, of=far))
    assert asked(calling, private, of=far).kind == "allow"
    begin(calling, private)
    assert asked(calling, replace(private, attempt=2), of=far).kind == "ask"


def test_rules_of_administrators_count(calling, state):
    PolicyRule.objects.create(kind="deny", tool="send_mail", reason="By letter only.")
    forget_rules()
    verdict = asked(calling, state)
    assert (verdict.kind, "By letter only." in verdict.reason) == ("deny", True)
    PolicyRule.objects.update(kind="allow")
    forget_rules()
    assert asked(calling, state).kind == "allow"
    assert asked(calling, replace(state, taints=BOTH)).kind == "ask"


@pytest.mark.parametrize(
    "arguments",
    [{"text": "x" * 200_000}, {"text": "\ud800"}, {"n": float("nan")}],
    ids=["long", "surrogate", "nan"],
)
def test_what_cannot_be_shown_cannot_be_approved(calling, state, arguments):
    assert asked(calling, state, arguments).kind == "deny"
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    "arguments", [{"n": 10**30}, {"n": 1e22}, {"n": 0.1}, {"t": "ü 合 🙂 \u202e\0"}, {}], ids=str
)
def test_arguments_are_kept_byte_for_byte(calling, state, alice, arguments):
    verdict = asked(calling, state, arguments)
    assert approval(verdict).arguments == canonical(arguments)
    approve(alice, verdict)
    assert asked(calling, state, arguments).kind == "allow"


@pytest.mark.parametrize("end", ["stop", "delete"])
def test_nobody_is_asked_for_a_run_that_was_ended(calling, state, alice, end):
    turn = chat.start_turn(alice, None, "Hello")
    verdict = asked(calling, replace(state, run_id=turn.pk, conversation_id=turn.conversation_id))
    other = asked(calling, state)
    if end == "stop":
        chat.stop_turn(alice, turn.pk)
    else:
        deletion.delete_conversation(alice, turn.conversation_id)
    assert [approval(one).status for one in (verdict, other)] == ["expired", "waiting"]
    with pytest.raises(TooLate):
        approve(alice, verdict)


def test_they_go_with_the_conversation(calling, state, alice):
    started = chat.start_turn(alice, None, "Hello")
    here = replace(state, conversation_id=started.conversation_id)
    approve(alice, asked(calling, here), scope="conversation")
    deletion.delete_conversation(alice, started.conversation_id)
    deletion.remove([started.conversation_id])
    assert not Approval.objects.exists()
    assert not ToolPermission.objects.exists()
