"""What a run does before its model speaks: read, search, pack, and write the request."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from agents.authority.canaries import rule_of
from agents.authority.markers import marked, refresh_markers
from agents.authority.watching import canary_of, has_canary
from agents.building.decoding import with_usual
from agents.delegating.wording import question_of
from agents.finding import retrieve, within_reach
from agents.going_on import said_before
from agents.guardrails.guard import require_admitted
from agents.guardrails.passages import permitted, permitted_step
from agents.history import fitting_history, retrieval_query
from agents.prompt import ATTACHED, RULES, TOOL_RULES, Part, Source, Trust, assemble, unasked
from agents.prompt_blocks import blocks_of
from agents.prompt_caching import cache_key, lasting_fence, pinned_documents
from agents.recalling import recall
from agents.running.equipping import equip
from agents.running.opening import as_it_was
from agents.tokens import estimate_tokens
from agents.tools.types import Tool
from agents.types import (
    AgentTask,
    AttachmentsRead,
    Chat,
    LabelsDemanded,
    PackedPassage,
    PromptAssembled,
    Read,
    Reading,
    RetrievalCompleted,
    Search,
    Step,
)
from agents.types.openings import Opening
from agents.understanding.asking import understand_question
from gateway.controls import Controls
from gateway.labels import Demand, labels_of, require_labels
from gateway.types import ChatRequest, Completed, FindRoutes, PassageText
from knowledge.retrieval.understanding import Understood
from observability.patience import run_patiently

if TYPE_CHECKING:
    from agents.authority.types import RunState
    from agents.running.spending import Spending
    from agents.running.within import HandOver

HISTORY_SHARE = 1 / 3  # of the agent's tokens of context, at most


class Write(Protocol):
    """Writes the request, between fences of this word instead of a random one."""

    def __call__(self, *, fence: str = "") -> ChatRequest: ...


class Asked:
    """What a run asks its model, once it is prepared; `write` writes the same request again."""

    request: ChatRequest
    write: Write
    passages: tuple[PackedPassage, ...] = ()
    recalled: tuple[PackedPassage, ...] = ()  # that may be cited, and that no model is shown
    reading: Reading = Reading()
    understood: Understood | None = None
    tools: Mapping[str, Tool] = {}  # that the model may call
    opening: Opening | None = None  # of a run that somebody has begun
    # Of the run, as far as it has come: what it came upon and took, and who goes on in its place.
    state: "RunState | None" = None
    spending: "Spending | None" = None
    done: Sequence[Completed] = ()
    handed: "HandOver | None" = None

    def __init__(self) -> None:
        self.demands: tuple[Demand, ...] = ()
        self.notices: list[str] = []  # what the reader is to know of how it came about
        self.notes: list[str] = []  # what the person said meanwhile, as the model heard it


async def prepare(
    task: AgentTask, asked: Asked, search: Search, read: Read, *, routes: FindRoutes, chat: Chat
) -> AsyncGenerator[Step, None]:
    """Read, search, and make sure that somebody may be asked; raises LabelUnmet."""
    require_admitted(task)
    task = await within_reach(task, routes)
    history = fitting_history(task.history, int(task.agent.context_tokens * HISTORY_SHARE))
    reading, begun = await _read(task, read), await as_it_was(task)
    if begun is not None:
        await run_patiently(refresh_markers)  # it searches no more, which does that
        asked.opening, reading = begun.opening, replace(reading, passages=begun.attached)
        begun = replace(begun, found=await permitted(task, begun.found, begun.demands))
    reading = replace(reading, passages=await permitted(task, reading.passages))
    if reading.uses:
        yield AttachmentsRead(reading.uses, reading.passages, reading.took_ms)
    passages, demands = reading.passages, task.demands
    if begun is not None:
        passages += begun.found
        demands = tuple(dict.fromkeys((*demands, *begun.demands)))
        asked.recalled = await permitted(task, begun.recalled, begun.recalled_demands)
        if known := (*begun.found, *asked.recalled):
            yield RetrievalCompleted(task.question, known, 0.0)
    elif not reading.is_enough:
        collections = _collections_to_search(task)
        understood, rewritten = await understand_question(task, collections, chat, routes)
        asked.understood = understood
        if rewritten:
            yield rewritten
        budget = prompt_budget(task) - reading.tokens
        found = retrieve(
            task, search, understood, collections,
            budget=budget, after=task.numbers_taken + len(passages), helpers=(chat, routes),
        )  # fmt: skip
        async with aclosing(found) as steps:
            async for made in steps:
                step = await permitted_step(task, made)
                if isinstance(step, RetrievalCompleted):
                    passages += step.passages
                    demands = tuple(dict.fromkeys((*demands, *step.demands)))
                    asked.recalled = await recall(task, passages)
                    step = replace(step, passages=(*step.passages, *asked.recalled))
                yield step
    else:
        asked.recalled = await recall(task, passages)
        if asked.recalled:
            yield RetrievalCompleted(task.question, asked.recalled, 0.0)
    if demands:
        yield await meet(task.agent.model_name, demands, routes)
    equipment = await equip(task, demands, routes)
    asked.tools, asked.demands = equipment.tools, tuple(demands)
    asked.notices += [equipment.notice] if equipment.notice else []
    asked.write = partial(
        chat_request, task, history, passages, reading, demands,
        tools=tuple(asked.tools.values()), recalled=asked.recalled,
    )  # fmt: skip
    asked.request = asked.write()
    asked.passages, asked.reading = passages, reading
    yield PromptAssembled(blocks_of(task, history, passages, reading), prompt_budget(task))


async def _read(task: AgentTask, read: Read) -> Reading:
    if not task.attachments:
        return Reading()
    query = retrieval_query(task.question, task.history)
    found = await read(task, query, prompt_budget(task))
    has_new = any(file.is_new for file in task.attachments)
    is_all = not task.question or searched_collections(task) is None
    passages = tuple(replace(one, n=task.numbers_taken + one.n) for one in found.passages)
    return replace(found, passages=passages, is_enough=has_new and is_all)


def prompt_budget(task: AgentTask) -> int:
    """Tokens for what documents say: without the history's share, rules and question."""
    known = "".join(memory.text for memory in task.memories)
    spent = estimate_tokens(RULES + task.agent.instructions + known + task.question)
    return int(task.agent.context_tokens * (1 - HISTORY_SHARE)) - spent


async def meet(model: str, demands: Sequence[Demand], routes: FindRoutes) -> LabelsDemanded:
    """What is demanded of the endpoint that answers; raises LabelUnmet when none has it."""
    require_labels(await routes(model), demands)
    return LabelsDemanded(tuple(sorted(labels_of(demands))))


def _collections_to_search(task: AgentTask) -> list[UUID] | None:
    """Those of `searched_collections`, and none where nothing is to be searched for."""
    return searched_collections(task) if task.agent.max_passages and task.question else []


def searched_collections(task: AgentTask) -> list[UUID] | None:
    """Those of the agent, narrowed to those asked for; None is everything the person may see.

    An empty list means that nothing may be searched: the two have nothing in common.
    """
    if not task.agent.collections:
        return list(task.collections) or None
    if not task.collections:
        return list(task.agent.collections)
    return [pk for pk in task.collections if pk in task.agent.collections]


def chat_request(
    task: AgentTask,
    history: list[Part],
    passages: tuple[PackedPassage, ...],
    reading: Reading = Reading(),  # noqa: B008 - a value that nobody changes
    demands: Sequence[Demand] = (),
    *,
    tools: Sequence[Tool] = (),
    recalled: Sequence[PackedPassage] = (),
    fence: str = "",
) -> ChatRequest:
    """The prompt of this question, stable parts first."""
    shelves = {file.shelf_id for file in task.attachments}
    pinned = pinned_documents(task, reading)
    canary = [rule_of(canary_of(task))] if has_canary(task, tools) else []
    instructions = Part(Source.AGENT, Trust.INSTRUCTION, (), task.agent.instructions)
    parts = [
        Part(Source.HOUSE, Trust.INSTRUCTION, (), RULES),
        *([Part(Source.HOUSE, Trust.INSTRUCTION, (), TOOL_RULES)] if tools else []),
        *(Part(Source.HOUSE, Trust.INSTRUCTION, (), one) for one in canary),
        instructions,
        *history,
        *(Part(Source.MEMORY, Trust.CONVERSATION, (), known.text) for known in task.memories),
        *(passage_part(p, shelves, pinned) for p in passages),
        Part(Source.PERSON, Trust.CONVERSATION, (), question_of(task) or unasked()),
    ]
    return ChatRequest(
        model=task.agent.model_name,
        messages=assemble(
            parts,
            fence,
            lasting_fence=lasting_fence(task.conversation_id),
            images=reading.images,
            unseen=reading.unseen,
            has_tools=bool(tools),
            after=task.numbers_taken,
        ),
        temperature=task.agent.temperature,
        max_tokens=task.agent.max_answer_tokens,
        controls=_controls(task),
        tools=tuple(tool.as_function() for tool in tools),
        extra=task.extra,
        passages=tuple(PassageText(p.n, p.title, p.told_text) for p in passages),
        question=task.question,  # empty: files alone
        image_count=sum(file.is_image and file.is_new for file in task.attachments),
        turn_id=task.turn_id,
        payer=task.payer(),
        required_labels=labels_of(demands),
        continues=said_before(task.goes_on, (*passages, *recalled)) if task.goes_on else "",
        cache_key=cache_key(task.conversation_id),
    )


def _controls(task: AgentTask) -> Controls:
    """Those of the request, and the agent's where nothing is said."""
    controls = with_usual(task.controls, task.agent.controls)
    effort = controls.reasoning_effort or task.agent.reasoning_effort
    return replace(controls, reasoning_effort=effort) if effort else controls


def passage_part(
    passage: PackedPassage,
    shelves: Collection[UUID] = (),
    pinned: Collection[UUID] = (),
) -> Part:
    """A data block; what lies on one of `shelves` is attached, one of the `pinned` documents stays
    for the whole conversation."""
    label = passage.told_label
    if lines := passage.lines:
        label = f"{label}, lines {lines[0]}-{lines[1]}"
    label = f"{ATTACHED}: {label}" if passage.first.collection_id in shelves else label
    acl = (passage.first.collection_id,)
    is_pinned = passage.first.document_id in pinned
    text = marked(passage, passage.told_text)
    return Part(Source.DOCUMENT, Trust.DATA, acl, text, label, is_pinned)
