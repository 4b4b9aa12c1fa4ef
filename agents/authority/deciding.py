"""Whether a call may be made: before every one, with all that the run has come upon."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.approvals.asking import LONGEST, Call, ask
from agents.approvals.digests import canonical
from agents.approvals.signing_in import ask_to_sign_in
from agents.authority.policy import STRICTNESS, Scope, audience_of
from agents.authority.rules import Case, Judged, judge
from agents.authority.ruleset import current_rules, recent_rules
from agents.authority.types import RunState, Verdict
from agents.authority.watching import leak_in
from agents.authority.wording import reason_of
from agents.tools.types import Effect, Taint, Tool, ToolCalling
from observability.patience import run_patiently
from security.sentences import Sentence, together
from security.text import storable


async def decide(
    calling: ToolCalling, tool: Tool, arguments: Mapping[str, Any], state: RunState
) -> Verdict:
    """By the policy; where it says to ask, by what the person has said to this very call."""
    rules = recent_rules()
    if rules is None:
        rules = await run_patiently(current_rules)
    audience = audience_of(state.taints, state.readers)
    cases = (
        Case(effect, state.taints, audience, tool.name, tool.server)
        for effect in effects_of(tool, state)
    )
    judged = max((judge(case, rules) for case in cases), key=_strictness)
    try:
        text = canonical(dict(arguments))
    except ValueError:
        return Verdict("deny", Sentence("approval_unreadable"))
    if leak := await leak_in(calling.task, text):
        return Verdict("deny", Sentence(leak))
    judged = at_least_asked(judged, calling.asks)
    call = replace(
        _call(calling, tool, text, state, judged), effect=effects_of(tool, state)[-1].value
    )
    if judged.ruling.kind != "deny" and await _must_sign_in(tool, calling):
        return await run_patiently(ask_to_sign_in, call)
    if judged.ruling.kind != "ask":
        return Verdict(judged.ruling.kind, call.reason)
    if len(text) > LONGEST or storable(text) != text:
        return Verdict("deny", Sentence("approval_unreadable"))
    return await run_patiently(ask, call)


def at_least_asked(judged: Judged, asks: str) -> Judged:
    """A guardrail that wants the person asked: every time, and never instead of a refusal."""
    if not asks or judged.ruling.kind == "deny":
        return judged
    ruling = replace(judged.ruling, kind="ask", longest=Scope.ONCE)
    return replace(judged, ruling=ruling)


async def _must_sign_in(tool: Tool, calling: ToolCalling) -> bool:
    """That comes before any approval: nobody says yes to what cannot be done."""
    return tool.is_let_in is not None and not await tool.is_let_in(calling.user)


def effects_of(tool: Tool, state: RunState) -> tuple[Effect, ...]:
    """Arguments go to the server of a tool whatever it does with them: once a run knows something
    private, its questions can tell it, and the call sends too."""
    is_telling = bool(tool.server) and tool.is_reading and Taint.PRIVATE in state.taints
    return (tool.effect, Effect.SENDS) if is_telling else (tool.effect,)


def _strictness(judged: Judged) -> tuple[int, int]:
    """Of two that ask, the one whose yes holds for less."""
    ruling = judged.ruling
    return STRICTNESS[ruling.kind], -[*Scope].index(ruling.longest)


def _call(
    calling: ToolCalling, tool: Tool, arguments: str, state: RunState, judged: Judged
) -> Call:
    return Call(
        owner_id=calling.user.pk,
        agent_id=calling.task.agent.id,
        run_id=state.run_id,
        call_id=calling.call_id,
        tool=tool.name,
        title=str(tool.title),
        server=tool.server,
        arguments=arguments,
        effect=tool.effect.value,
        reason=together([reason_of(judged), calling.asks]),
        taints=tuple(taint.value for taint in state.taints),
        attempt=state.attempt,
        conversation_id=state.conversation_id,
        longest=judged.ruling.longest,
        is_interactive=state.is_interactive,
    )
