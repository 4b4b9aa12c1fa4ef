"""Tools for the screenshots: a server of others and its tools, what agents ask about, and an answer
that was made with calls."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from agents.approvals.digests import canonical, digest_of
from agents.authority.models import PolicyRule
from agents.mcp_client.models import McpAccount, McpServer, McpTool
from agents.mcp_client.naming import name_of
from agents.mcp_client.pinning import pin_of
from agents.models import Agent, Approval, InstalledGuardrail, ToolPermission
from chat.models import Conversation, Message
from security.ids import new_id

TITLE = "Lines down, by quarter"
LOOK: dict[str, Any] = {
    "name": "look_up", "title": "Look up an incident",
    "description": "Looks an incident of the status page up by its number or by words of it.",
    "inputSchema": {"type": "object", "properties": {"words": {"type": "string"}}},
    "annotations": {"readOnlyHint": True},
}  # fmt: skip
TELL: dict[str, Any] = {
    "name": "tell", "description": "Writes a message to everybody who follows the status page.",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
}  # fmt: skip
MAIL = {
    "to": "tomas@heronbay.example", "subject": "Leave in May",
    "text": "Dear Tomás,\n\nthe third part of your leave is confirmed from 4 May on.",
}  # fmt: skip
CHART = (
    '{"kind": "chart", "chart": {"kind": "bar", "title": "Lines down", "x": ["Q1", "Q2", "Q3"], '
    '"series": [{"name": "Suzhou", "values": [3, 5, 2]}, {"name": "Leeds", "values": [1, 2, 4]}]}}'
)


GUARDRAILS: list[dict[str, Any]] = [
    {"name": "No numbers of customers", "kind": "regex", "places": ["input", "output"],
     "action": "mask", "pattern": "HB-[0-9]{6}", "ignores_case": True},
    {"name": "Addresses of people", "kind": "personal_data", "places": ["output"],
     "action": "mask", "data": ["email", "phone"]},
]  # fmt: skip
HOUSE: list[dict[str, Any]] = [
    {"name": "Keys and passwords", "kind": "secrets", "places": ["input", "tool_call"],
     "action": "block", "reason": "Put keys into the vault, not into a chat."},
    {"name": "Attempts at injection", "kind": "injection", "places": ["retrieved"],
     "action": "warn"},
]  # fmt: skip


def make() -> None:
    me = User.objects.get(is_superuser=True)
    agent = Agent.objects.get(slug="operations")
    Agent.objects.filter(pk=agent.pk).update(
        tools=[
            "search_documents", "calculate", "draw_chart", "fetch_page", "status__look_up",
            "tickets__close",
        ],
        helpers=[
            {"agent": str(Agent.objects.get(slug="people").pk), "way": way, "when": "Leave."}
            for way in ("ask", "hand_over")
        ],
        guardrails=GUARDRAILS,
    )  # fmt: skip
    for n, rule in enumerate(HOUSE):
        InstalledGuardrail.objects.create(name=rule["name"], rule=rule, position=n)
    _servers(me)
    _asked(me, agent)
    PolicyRule.objects.create(
        kind="ask", server="status", effect="sends", reason="The page is public."
    )
    _answer(me, agent)


def _servers(me: User) -> None:
    now = timezone.now()
    status = McpServer.objects.create(
        name="status", url="https://mcp.status.example/mcp", is_for_everyone=True,
        last_checked_at=now,
    )  # fmt: skip
    before = LOOK | {"description": "Looks an incident of the status page up by its number."}
    for definition, approved in ((LOOK, before), (TELL, None)):
        McpTool.objects.create(
            server=status, own_name=definition["name"], definition=definition,
            name=name_of("status", definition["name"]), pin=pin_of(definition), seen_at=now,
            approved_definition=approved, approved_pin=pin_of(approved) if approved else "",
            state="changed" if approved else "new", effect="reads" if approved else "sends",
        )  # fmt: skip
    for name, is_broken in (("calendar", False), ("tickets", True), ("drive", None)):
        server = McpServer.objects.create(
            name=name, url=f"https://mcp.{name}.example/mcp", auth="oauth", is_for_everyone=True
        )
        if is_broken:
            closing = {"name": "close", "inputSchema": {"type": "object"}}
            McpTool.objects.create(
                server=server, own_name="close", definition=closing, approved_definition=closing,
                name=name_of(name, "close"), pin=pin_of(closing), approved_pin=pin_of(closing),
                state="approved", effect="changes", seen_at=now,
            )  # fmt: skip
        if is_broken is not None:
            McpAccount.objects.create(server=server, user=me, is_broken=is_broken)


def _asked(me: User, agent: Agent) -> None:
    calls: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
        ("send_mail", "Send mail", "", MAIL, {"longest": "always"}),
        ("tickets__close", "Close a ticket", "tickets", {"number": 4711}, {"kind": "sign_in"}),
        ("remember", "Remember", "", {"text": "Tomás is away in May."}, {"status": "used"}),
        ("status__tell", "Tell everybody", "status", {"text": "All is well."},
         {"status": "denied"}),
    ]  # fmt: skip
    for number, (tool, title, server, arguments, fields) in enumerate(calls):
        run, text = new_id(), canonical(arguments)
        code = "sign_in_wanted" if fields.get("kind") else "policy_sends"
        values = f'{{"server":"{server}"}}' if fields.get("kind") else "{}"
        Approval.objects.create(
            owner=me, agent=agent, run_id=run, call_id=f"call_{number}", tool=tool, title=title,
            server=server, arguments=text, digest=digest_of(tool, server, text, me.pk, run),
            effect="sends", expires_at=timezone.now() + timedelta(hours=20),
            kept_reason=f'{{"code":"{code}","values":{values}}}', **fields,
        )  # fmt: skip
    ToolPermission.objects.create(owner=me, agent=agent, tool="send_mail", title="Send mail")


def _answer(me: User, agent: Agent) -> None:
    talk = Conversation.objects.create(owner=me, title=TITLE, agent=agent)
    question = Message.objects.create(
        conversation=talk, role="user", text="How often were lines down, by quarter and site?"
    )
    called = [
        _step("1", "calculate", "Calculate", "calculator", '{"expression": "3+5+2+1+2+4"}', "= 17"),
        _step("2", "status__look_up", "Look up an incident", "plug", '{"words": "line down"}',
              "17 incidents: 10 in Suzhou, 7 in Leeds.", server="status"),
        _step("3", "status__tell", "Tell everybody", "plug", '{"text": "17 lines"}',
              "The person did not approve it. Go on without it.", "denied", server="status"),
        _step("4", "draw_chart", "Draw a chart", "chart", CHART, "It is drawn.", drawing=CHART),
    ]  # fmt: skip
    steps = [step for both in called for step in both]
    Message.objects.create(
        conversation=talk, role="assistant", parent=question, status="complete", steps=steps,
        text="Seventeen times this year: **ten in Suzhou**, seven in Leeds.",
        model_name="house-model",
    )  # fmt: skip


def _step(
    call: str, name: str, title: str, icon: str, given: str, said: str, status: str = "done",
    *, server: str = "", drawing: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    begun = {"call_id": call, "name": name, "title": title, "icon": icon, "arguments": given,
             "server": server, "effect": "reads"}  # fmt: skip
    ended = {"call_id": call, "status": status, "took_ms": 240, "chars": len(said), "text": said,
             "drawing": drawing, "is_private": False, "passages": []}  # fmt: skip
    return [{"kind": "tool_called", "data": begun}, {"kind": "tool_completed", "data": ended}]


def rows() -> dict[str, str]:
    """The ids that addresses need."""
    return {
        "tools": str(Conversation.objects.get(title=TITLE).pk),
        "guardrail": str(InstalledGuardrail.objects.earliest("position").pk),
        "server": str(McpServer.objects.get(name="status").pk),
    }
