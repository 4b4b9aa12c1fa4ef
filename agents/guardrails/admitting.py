"""Before anything of a question is handed to any model: its rules are found and looked at."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from pydantic import ValidationError

from agents.guardrails import sent
from agents.guardrails.asking import Asking
from agents.guardrails.guard import Guard, whose
from agents.guardrails.rules import AnyRule, parse
from agents.guardrails.ruleset import installed
from agents.guardrails.types import Place
from agents.guardrails.vault import Vault
from agents.types import AgentTask, Chat
from gateway.chat import stream_chat
from gateway.routing.routes import find_routes
from gateway.types import AS_IT_IS, FindRoutes
from security.sentences import Sentence

WITHHELD = "(This was withheld from you by a rule.)"

FindRules = Callable[[], Awaitable[tuple[AnyRule, ...]]]


async def admitted(
    task: AgentTask,
    rules: FindRules = installed,
    *,
    chat: Chat = stream_chat,
    routes: FindRoutes = find_routes,
) -> AgentTask:
    """The task as models may see it, with its guard; the same task where there are no rules, or
    where it was admitted before. `guard.blocked` says that no model is asked."""
    if task.guard is not None and task.guard.of == whose(task):
        return task
    asking = Asking(task.user, task.payer("guardrail"), tuple(task.demands), chat, routes)
    before = task.guard or Guard((), asking, Vault(_scope(task)), ())
    try:
        found = (*await rules(), *parse(task.agent.guardrails))
    except ValidationError:
        guard = before.following((), asking)
        guard.blocked, guard.of = Sentence("guardrail_unreadable"), whose(task)
        return replace(task, guard=guard)
    if not found and task.guard is None:
        return task
    return await _looked_at(task, before.following(found, asking))


def _scope(task: AgentTask) -> str:
    """The same within a conversation, so that what servers keep of a prompt stays good."""
    return str(task.conversation_id or task.turn_id or task.user.pk)


async def _looked_at(task: AgentTask, guard: Guard) -> AgentTask:
    question = await guard.hidden(task.question, Place.INPUT)
    guard.blocked = question.blocked
    orders = []
    for text in task.orders:
        looked = await guard.hidden(text, Place.INPUT)
        guard.blocked = guard.blocked or looked.blocked
        orders.append(looked.text)
    agent = replace(task.agent, instructions=_with(task, orders))
    try:  # what a program says beside its words
        task = replace(
            task,
            extra=await sent.unknown(guard, task.extra),
            controls=await sent.controls(guard, task.controls),
        )
    except sent.QuestionBlocked as blocked:
        guard.blocked = guard.blocked or blocked.args[0]
        task = replace(task, extra={}, controls=AS_IT_IS)
    if guard.blocked:
        task = replace(task, history=(), memories=(), goes_on=None)
    else:
        task = await _with_the_past(task, guard)
    text = question.text
    if task.caller is not None:  # a call was given what was hidden before
        text = guard.vault.hide_again(text)
    task = replace(task, question=text, agent=agent, orders=tuple(orders), guard=guard)
    guard.of = whose(task)
    return task


def _with(task: AgentTask, orders: Sequence[str]) -> str:
    """The instructions, with what a program said as it may be said."""
    text = task.agent.instructions
    for before, after in zip(task.orders, orders, strict=False):
        text = text.replace(before, after)
    return text


async def _with_the_past(task: AgentTask, guard: Guard) -> AgentTask:
    """What was said before goes to the model again, by the rules of now. It was told then."""

    async def hide(text: str, role: str = "user") -> str:
        rules = guard.of_answers() if role == "assistant" else None
        looked = await guard.hidden(text, Place.INPUT, is_told=False, rules=rules)
        return WITHHELD if looked.blocked else looked.text

    history = tuple([replace(one, text=await hide(one.text, one.role)) for one in task.history])
    memories = tuple([replace(one, text=await hide(one.text)) for one in task.memories])
    goes_on = task.goes_on
    if goes_on is not None:
        goes_on = replace(goes_on, text=await hide(goes_on.text, "assistant"))
    caller = task.caller
    if caller is not None:
        again = guard.vault.hide_again
        words, said = again(await hide(caller.words)), again(await hide(caller.said, "assistant"))
        notes = tuple([again(await hide(one)) for one in caller.notes])
        caller = replace(caller, words=words, said=said, notes=notes)
    return replace(task, history=history, memories=memories, goes_on=goes_on, caller=caller)


async def said_meanwhile(task: AgentTask, text: str) -> str:
    """What the person says while a run goes on, as its model may hear it."""
    guard = task.guard
    if guard is None:
        return text
    looked = await guard.hidden(text, Place.INPUT)
    return WITHHELD if looked.blocked else looked.text


def opened(task: AgentTask, text: str) -> str:
    """With what was hidden from the model; for the person, and for what is kept for them."""
    return task.guard.vault.open(text) if task.guard else text
