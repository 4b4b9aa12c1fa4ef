"""What an answer depends on, all of it: two questions share an answer only if all of this is equal.

The prompt as the model reads it, with every passage that was found for this person; who may answer
it and how; and what the person may read at this moment. So a right that is taken away, a document
that is added, changed or deleted, another model, another instruction of the agent or another
parameter is another key, at once: nothing has to be told to the cache.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agents.asking import Asked, searched_collections
from agents.types import AgentTask
from caching.decorator import canonical
from gateway.complexity.aliases import find_alias
from gateway.complexity.features import question_of
from gateway.types import ChatRequest, PromptMessage, Route
from knowledge.tuned import tuned_for

DEEPEST = 32
LARGEST = 2**63  # what a key is packed with holds no larger number
FENCE = "0" * 16  # in place of the random word; what it may hide is told by the passages' ids


def may_reuse(task: AgentTask, request: ChatRequest) -> bool:
    """Never what a temporary conversation says, what attached files say, what goes on from an
    answer that broke off, what calls tools, or where a guardrail has hidden anything."""
    return (
        task.agent.reuse != "off"
        and task.agent.id is not None
        and not task.is_temporary
        and (task.guard is None or task.guard.vault.is_empty)
        and not (task.attachments or request.image_count)
        and not request.continues
        and not (request.tools or task.agent.may_call)
        and request.extra.get("n", 1) == 1
        and is_simple(request.extra)
    )


def is_simple(value: Any, depth: int = 0) -> bool:
    """Whether it can be part of a key: what programs send may be nested without end."""
    if isinstance(value, int):
        return -LARGEST < value < LARGEST
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return True
    return depth < DEEPEST and all(is_simple(item, depth + 1) for item in value)


def whose(task: AgentTask) -> str:
    """Whom an answer is kept for: the person, also where the agent shares, if memory told anything
    about them; nobody in particular otherwise."""
    is_shared = task.agent.reuse == "shared" and not task.memories
    return "" if is_shared else str(task.user.pk)


async def who_answers(request: ChatRequest, routes: Sequence[Route]) -> list[Any]:
    """The deployments that may, and by what an alias chooses among them: another rule, or somebody
    who has corrected its choice for this question, means another model."""
    served = [
        [route.model, route.deployment_id, route.upstream_name, route.base_url, route.tier,
         dict(route.extra_body)]
        for route in routes
    ]  # fmt: skip
    alias = await find_alias(routes[0].alias) if routes and routes[0].alias else None
    return [served, alias.basis(question_of(request)) if alias else None]


def answer_key(task: AgentTask, asked: Asked, state: str, who: Sequence[Any]) -> Any:
    """For one prompt; `state` is `knowledge_state` of the person, `who` is `who_answers`."""
    request = asked.write(fence=FENCE)
    passages = [
        [p.n, [[part.chunk_id, part.document_id, part.start, part.end] for part in p.parts]]
        for p in asked.passages
    ]
    messages = [told(message) for message in request.messages]
    return canonical(["exact", *_circumstances(task, request, state, who), messages, passages])


def question_key(task: AgentTask, asked: Asked, state: str, who: Sequence[Any]) -> Any:
    """For all questions of this person under the same circumstances, what is remembered among them,
    whatever their words. Never of somebody else, also where the agent shares: an answer to words
    that are not quite the same may tell what only they had thought of. For threads."""
    request = asked.write(fence=FENCE)
    rules = told(request.messages[0])
    known = [memory.text for memory in task.memories]
    circumstances = _circumstances(task, request, state, who)
    looked = _looked_for(task, asked)
    return canonical(["similar", str(task.user.pk), *circumstances, rules, known, looked])


def _circumstances(
    task: AgentTask, request: ChatRequest, state: str, who: Sequence[Any]
) -> list[Any]:
    return [
        task.agent.id, whose(task), state, list(who), request.model, request.temperature,
        request.max_tokens, asdict(request.controls), dict(request.extra), request.tool_choice,
        sorted(request.required_labels), sorted(map(str, task.collections)),
        task.guard.key if task.guard else "",
    ]  # fmt: skip


def _looked_for(task: AgentTask, asked: Asked) -> list[Any]:
    """How the documents were searched. An exact key has the passages themselves; here a search that
    was changed since, or is narrowed otherwise, could have found more than the answer cites."""
    agent, understood = task.agent, asked.understood
    tuned = tuned_for(searched_collections(task), task.question)
    return [
        sorted(map(str, task.switches)), agent.max_passages, agent.context_tokens, asdict(tuned),
        understood and [asdict(understood.filters), understood.entries],
    ]  # fmt: skip


def told(message: Any) -> Any:
    """A message as it is sent, whichever form it has."""
    if isinstance(message, PromptMessage):
        return [message.role, message.content]
    return dict(message)
