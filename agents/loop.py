"""One question from search to cited answer, as a short stream of typed steps.

The caller stores and shows the steps; nothing here knows how. No database connection is held while
a model speaks. Closing the iterator (`aclosing`) stops the model upstream at once.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from agents.citations import WEAK_EVIDENCE, CitationGate, Claim, best_span
from agents.going_on import said_before
from agents.history import fitting_history, retrieval_query
from agents.packing import pack
from agents.prompt import ATTACHED, RULES, Part, Source, Trust, assemble, unasked
from agents.prompt_caching import cache_key, lasting_fence, pinned_documents
from agents.reading import read_attachments
from agents.selectors import verify_quotes
from agents.support import find_unsupported
from agents.tokens import estimate_tokens
from agents.types import (
    AgentTask,
    AttachmentsRead,
    Chat,
    CitationAdded,
    EndpointSwitched,
    Finished,
    LabelsDemanded,
    PackedPassage,
    Read,
    Reading,
    ReasoningDelta,
    RetrievalCompleted,
    Search,
    Step,
    SupportChecked,
    TextDelta,
    UsageRecorded,
    Verify,
)
from gateway.chat import stream_chat
from gateway.labels import Demand, labels_of, require_labels
from gateway.routing.routes import find_routes
from gateway.types import (
    OFFLINE,
    ChatRequest,
    Completed,
    FindRoutes,
    PassageText,
    Payer,
    StreamItem,
)
from knowledge.retrieval import search as search_passages
from knowledge.types import SearchResult
from observability.patience import run_patiently

HISTORY_SHARE = 1 / 3  # of the agent's tokens of context, at most
CANDIDATES = 2  # passages looked at for each that may be packed


async def search_documents(
    user: User,
    query: str,
    collections: list[UUID] | None,
    limit: int,
    demands: Sequence[Demand] = (),
    *,
    payer: Payer | None = None,
) -> SearchResult:
    return await run_patiently(
        search_passages, user, query, collections, limit, demands, payer=payer
    )


async def verify_in_database(citations: list[CitationAdded]) -> list[bool]:
    return await run_patiently(verify_quotes, citations)


async def run_agent(
    task: AgentTask,
    *,
    search: Search = search_documents,
    chat: Chat = stream_chat,
    verify: Verify = verify_in_database,
    read: Read = read_attachments,
    routes: FindRoutes = find_routes,
) -> AsyncGenerator[Step, None]:
    """Yield the steps of an answer, Finished last; raise GatewayError when the model fails.

    Text that was yielded before an error has been said and stays valid.
    """
    if task.has_lost_its_collections:
        yield RetrievalCompleted(task.question, (), 0.0)
        for step in _nothing_to_search():
            yield step
        return
    asked = Asked()
    async with aclosing(_prepare(task, asked, search, read, routes)) as steps:
        async for step in steps:
            yield step
    evidence = Evidence(asked.passages, verify)
    gate = CitationGate([passage.n for passage in asked.passages])
    notice = ""
    async with aclosing(_spoken(asked.request, chat)) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    if shown := gate.feed(text):
                        yield TextDelta(shown)
                    for citation in await evidence.for_claims(gate.take_claims()):
                        yield citation
                case ReasoningDelta() | EndpointSwitched():
                    yield item
                    notice = _notice_of(item) or notice
                case Completed():
                    if rest := gate.close():
                        yield TextDelta(rest)
                    if checked := _support(evidence, item, gate.text):
                        yield checked
                    yield _usage(item)
                    yield _finished(item, gate.text, notice, asked.reading)


async def _spoken(request: ChatRequest, chat: Chat) -> AsyncGenerator[StreamItem, None]:
    """What the model says, behind what was said before."""
    if request.continues:
        yield TextDelta(request.continues)
    async with aclosing(chat(request)) as items:
        async for item in items:
            yield item


class Asked:
    """What a run asks its model, once it is prepared."""

    request: ChatRequest
    passages: tuple[PackedPassage, ...] = ()
    reading: Reading = Reading()


async def _prepare(
    task: AgentTask, asked: Asked, search: Search, read: Read, routes: FindRoutes
) -> AsyncGenerator[Step, None]:
    """Read, search, and make sure that somebody may be asked; raises LabelUnmet."""
    history = fitting_history(task.history, int(task.agent.context_tokens * HISTORY_SHARE))
    reading = await _read(task, read)
    if reading.uses:
        yield AttachmentsRead(reading.uses, reading.passages, reading.took_ms)
    passages, demands = reading.passages, task.demands
    if not reading.is_enough:
        retrieved, more = await _retrieve(task, search, reading)
        yield retrieved
        passages += retrieved.passages
        demands = tuple(dict.fromkeys((*demands, *more)))
    if demands:
        yield await meet(task.agent.model_name, demands, routes)
    asked.request = chat_request(task, history, passages, reading, demands)
    asked.passages, asked.reading = passages, reading


async def _read(task: AgentTask, read: Read) -> Reading:
    if not task.attachments:
        return Reading()
    query = retrieval_query(task.question, task.history)
    found = await read(task, query, prompt_budget(task))
    has_new = any(file.is_new for file in task.attachments)
    is_all = not task.question or searched_collections(task) is None
    return replace(found, is_enough=has_new and is_all)


def prompt_budget(task: AgentTask) -> int:
    """Tokens for what documents say: without the history's share, rules and question."""
    known = "".join(memory.text for memory in task.memories)
    spent = estimate_tokens(RULES + task.agent.instructions + known + task.question)
    return int(task.agent.context_tokens * (1 - HISTORY_SHARE)) - spent


async def meet(model: str, demands: Sequence[Demand], routes: FindRoutes) -> LabelsDemanded:
    """What is demanded of the endpoint that answers; raises LabelUnmet when none has it."""
    require_labels(await routes(model), demands)
    return LabelsDemanded(tuple(sorted(labels_of(demands))))


async def _retrieve(
    task: AgentTask, search: Search, reading: Reading
) -> tuple[RetrievalCompleted, tuple[Demand, ...]]:
    """What was found, and what the collections it is from demand of whoever reads it."""
    query = retrieval_query(task.question, task.history)
    collections = searched_collections(task)
    if collections == [] or not (task.agent.max_passages and query):
        return RetrievalCompleted(query, (), 0.0), ()
    limit = task.agent.max_passages
    demanded = (task.demands,) if task.demands else ()
    payer = task.payer("embedding")
    found = await search(task.user, query, collections, limit * CANDIDATES, *demanded, payer=payer)
    packed = pack(found.passages, prompt_budget(task) - reading.tokens, limit)
    first = len(reading.passages)
    passages = tuple(replace(passage, n=first + passage.n) for passage in packed)
    return RetrievalCompleted(query, passages, found.took_ms), found.demands


def searched_collections(task: AgentTask) -> list[UUID] | None:
    """Those of the agent, narrowed to those asked for; None is everything the person may see.

    An empty list means that nothing may be searched: the two have nothing in common.
    """
    if not task.agent.collections:
        return list(task.collections) or None
    if not task.collections:
        return list(task.agent.collections)
    return [pk for pk in task.collections if pk in task.agent.collections]


def _nothing_to_search() -> tuple[Step, Step]:
    """No model is asked: it would answer as if the documents said nothing."""
    text = _(
        "The collections chosen for this question are no longer there, so nothing was searched. "
        "Choose others and ask again."
    )
    return TextDelta(text), Finished(text, "", is_offline=False)


def chat_request(
    task: AgentTask,
    history: list[Part],
    passages: tuple[PackedPassage, ...],
    reading: Reading = Reading(),  # noqa: B008 - a value that nobody changes
    demands: Sequence[Demand] = (),
) -> ChatRequest:
    """The prompt of this question, stable parts first."""
    shelves = {file.shelf_id for file in task.attachments}
    pinned = pinned_documents(task, reading)
    instructions = Part(Source.AGENT, Trust.INSTRUCTION, (), task.agent.instructions)
    parts = [
        Part(Source.HOUSE, Trust.INSTRUCTION, (), RULES),
        instructions,
        *history,
        *(Part(Source.MEMORY, Trust.CONVERSATION, (), known.text) for known in task.memories),
        *(passage_part(p, shelves, pinned) for p in passages),
        Part(Source.PERSON, Trust.CONVERSATION, (), task.question or unasked()),
    ]
    return ChatRequest(
        model=task.agent.model_name,
        messages=assemble(
            parts,
            lasting_fence=lasting_fence(task.conversation_id),
            images=reading.images,
            unseen=reading.unseen,
        ),
        temperature=task.agent.temperature,
        max_tokens=task.agent.max_answer_tokens,
        passages=tuple(PassageText(p.n, p.title, p.text) for p in passages),
        question=task.question,  # empty: files alone
        image_count=sum(file.is_image and file.is_new for file in task.attachments),
        turn_id=task.turn_id,
        payer=task.payer(),
        required_labels=labels_of(demands),
        continues=said_before(task.goes_on, passages) if task.goes_on else "",
        cache_key=cache_key(task.conversation_id),
    )


def passage_part(
    passage: PackedPassage,
    shelves: Collection[UUID] = (),
    pinned: Collection[UUID] = (),
) -> Part:
    """A data block; what lies on one of `shelves` is attached, one of the `pinned` documents stays
    for the whole conversation."""
    label = " › ".join([passage.title, *passage.first.heading_path])
    label = f"{ATTACHED}: {label}" if passage.first.collection_id in shelves else label
    acl = (passage.first.collection_id,)
    is_pinned = passage.first.document_id in pinned
    return Part(Source.DOCUMENT, Trust.DATA, acl, passage.text, label, is_pinned)


class Evidence:
    """Turns claims into citations: the best words of the passage, each span once, all verified."""

    def __init__(self, passages: tuple[PackedPassage, ...], verify: Verify) -> None:
        self._passages = {passage.n: passage for passage in passages}
        self._verify = verify
        self._seen: set[tuple[int, int, int]] = set()
        self._cited: set[int] = set()

    @property
    def has_cited(self) -> bool:
        return bool(self._cited)

    @property
    def texts(self) -> list[str]:
        """What the passages say that the answer was given."""
        return [passage.text for passage in self._passages.values()]

    async def for_claims(self, claims: list[Claim]) -> list[CitationAdded]:
        found = [citation for claim in claims if (citation := self._locate(claim))]
        if not found:
            return []
        verdicts = await self._verify(found)
        return [citation for citation, holds in zip(found, verdicts, strict=True) if holds]

    def _locate(self, claim: Claim) -> CitationAdded | None:
        """None when the evidence is on show already, or weak beside what is."""
        passage = self._passages[claim.n]
        ranked = [(best_span(claim.sentence, part.text), part) for part in passage.parts]
        (share, (start, end)), part = max(ranked, key=lambda found: found[0][0])
        key = (claim.n, part.start + start, part.start + end)
        is_whole_again = share < WEAK_EVIDENCE and claim.n in self._cited
        if key in self._seen or is_whole_again or start == end:
            return None
        self._seen.add(key)
        self._cited.add(claim.n)
        return CitationAdded(
            n=claim.n,
            document_id=part.document_id,
            chunk_id=part.chunk_id,
            title=part.title,
            heading_path=part.heading_path,
            quote=part.text[start:end],
            start=part.start + start,
            end=part.start + end,
            page=part.page,
        )


def _support(evidence: Evidence, done: Completed, text: str) -> SupportChecked | None:
    """None where there is nothing to tell: every sentence has a source, or none was to be had."""
    if done.is_offline or not evidence.has_cited:
        return None
    sentences = find_unsupported(text, evidence.texts)
    return SupportChecked(tuple(sentences)) if sentences else None


def _notice_of(item: ReasoningDelta | EndpointSwitched) -> str:
    """What the person should know about how the answer came about."""
    if not isinstance(item, EndpointSwitched):
        return ""
    if item.after and item.switched_to != OFFLINE:
        return ""  # it went on where the other stopped: a mark says so, nobody need be warned
    if item.switched_to == OFFLINE:
        text = _("The model could not answer, so your documents are quoted. {reason}")
    else:
        text = _("Another endpoint answered. {reason}")
    return str(text).format(reason=item.detail)


def _usage(done: Completed) -> UsageRecorded:
    return UsageRecorded(
        model=done.model,
        endpoint=done.endpoint,
        prompt_tokens=done.usage.prompt_tokens,
        completion_tokens=done.usage.completion_tokens,
        cached_tokens=done.usage.cached_tokens,
        reasoning_tokens=done.usage.reasoning_tokens,
        first_token_ms=done.first_token_ms,
        total_ms=done.total_ms,
        why=done.why,
        attempts=done.attempts,
        finish_reason=done.finish_reason,
    )


def _finished(done: Completed, text: str, notice: str, reading: Reading) -> Finished:
    if done.finish_reason == "length":
        notice = _("The answer reached its length limit and ends early.")
    elif done.is_offline and not notice:
        notice = _("Quoted from your documents; no model is connected.")
    unused = dict.fromkeys(use.reason for use in reading.uses if use.reason)
    return Finished(text, done.model, done.is_offline, " ".join(filter(None, [*unused, notice])))
