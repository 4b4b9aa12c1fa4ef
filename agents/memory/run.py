"""An agent's run with memory around it: what is known goes in, what is said is kept.

Nothing is read or written for somebody who has not switched memory on. Only the person's question
is ever looked at for something to keep: neither documents nor answers are.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from agents.guardrails.admitting import FindRules, admitted, opened
from agents.guardrails.ruleset import installed
from agents.loop import run_agent
from agents.memory.models import Memory
from agents.memory.noticing import pick_lasting
from agents.memory.services import save_said
from agents.memory.wishes import Wishes, find_wishes
from agents.types import AgentTask, Chat, Finished, MemoriesSaved, MemoriesUsed, Step, TextDelta
from gateway.chat import stream_chat
from observability.patience import run_patiently
from security.sentences import Sentence

PATIENCE_SECONDS = 5.0  # that an answer which is written waits for what is noticed

RunAgent = Callable[[AgentTask], AsyncGenerator[Step, None]]
Save = Callable[[User, Sequence[str], Memory.Origin], Awaitable[list[UUID]]]

log = logging.getLogger(__name__)


async def save_in_database(user: User, facts: Sequence[str], origin: Memory.Origin) -> list[UUID]:
    return [memory.pk for memory in await run_patiently(save_said, user, facts, origin)]


async def run_with_memory(
    task: AgentTask,
    *,
    run: RunAgent = run_agent,
    chat: Chat = stream_chat,
    save: Save = save_in_database,
    rules: FindRules = installed,
) -> AsyncGenerator[Step, None]:
    """The steps of `run`, and before the last one which memories were used and saved."""
    wishes = find_wishes(task.question)
    task = await admitted(task, rules)
    is_blocked = task.guard is not None and bool(task.guard.blocked)
    if wishes.is_all and task.has_memory and not is_blocked:
        async for step in _grant(task, wishes, save):
            yield step
        return
    noticing = None if is_blocked else _begin_to_notice(task, wishes, chat)
    try:
        async with aclosing(run(task)) as steps:
            async for step in steps:
                if not isinstance(step, Finished):
                    yield step
                else:
                    if step.model and not step.is_offline and task.memories:
                        yield MemoriesUsed(tuple(known.id for known in task.memories))
                    if not is_blocked and (saved := await _save_all(task, wishes, noticing, save)):
                        yield MemoriesSaved(tuple(saved))
                    yield _told_that_it_is_off(task, wishes, step)
    finally:
        if noticing is not None:
            noticing.cancel()


async def _grant(task: AgentTask, wishes: Wishes, save: Save) -> AsyncGenerator[Step, None]:
    """Somebody asked for nothing but to be remembered: done at once, and no model is asked."""
    saved = await save(task.user, wishes.facts, Memory.Origin.ASKED)
    if saved:
        yield MemoriesSaved(tuple(saved))
        text = _("I will remember this:")
    else:
        text = _("I know this already, or my memory is full; you can see it in Settings:")
    text += "\n\n" + "\n".join(f"- {_escaped(fact)}" for fact in wishes.facts)
    yield TextDelta(text)
    yield Finished(text, "", is_offline=False)


def _begin_to_notice(
    task: AgentTask, wishes: Wishes, chat: Chat
) -> "asyncio.Task[list[str]] | None":
    """Beside the answer, which does not wait: the question is all that is needed."""
    if not task.may_notice or wishes.facts:
        return None
    return asyncio.create_task(pick_lasting(task, chat), name="noticing")


async def _save_all(
    task: AgentTask, wishes: Wishes, noticing: "asyncio.Task[list[str]] | None", save: Save
) -> list[UUID]:
    if not task.has_memory:
        return []
    if wishes.facts:
        return await save(task.user, wishes.facts, Memory.Origin.ASKED)
    if noticing is None:
        return []
    try:
        noticed = await asyncio.wait_for(noticing, PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 - an answer never fails for want of a memory
        log.info("nothing was noticed: %s", type(error).__name__)
        return []
    found = [opened(task, fact) for fact in noticed]
    return await save(task.user, found, Memory.Origin.NOTICED) if found else []


def _told_that_it_is_off(task: AgentTask, wishes: Wishes, done: Finished) -> Finished:
    if not wishes.is_all or task.has_memory or done.notice or not settings.PARLEY_MEMORY:
        return done
    return Finished(done.text, done.model, done.is_offline, Sentence("memory_is_off"))


def _escaped(fact: str) -> str:
    """As text, not as Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~!$" else c for c in fact)
