"""One question from search to cited answer, as a short stream of typed steps.

The caller stores and shows the steps; nothing here knows how. No database connection is held while
a model speaks. Closing the iterator (`aclosing`) stops the model upstream at once.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from agents.approved import FindGiven, find_given, give
from agents.asking import Asked, prepare
from agents.authority.markers import markers_beside
from agents.authority.watching import has_canary, watched
from agents.building.variables import with_variables
from agents.citations import CitationGate
from agents.citing import Citing
from agents.closing import finished, nothing_to_search, notice_of, proof_of, usage_of
from agents.delegating.speakers import one_after_another
from agents.evidence import Evidence, verify_in_database
from agents.finding import search_documents
from agents.guardrails.admitting import FindRules, admitted
from agents.guardrails.answering import around, cleared, heard
from agents.guardrails.ruleset import installed
from agents.reading import read_attachments
from agents.reuse.answers import answers
from agents.running.talking import Talk, talk
from agents.types import (
    AgentTask,
    AnswerReused,
    AttachmentsRead,
    Chat,
    EndpointSwitched,
    HandedOver,
    LabelsDemanded,
    NoteTaken,
    PassagesReranked,
    PromptAssembled,
    QueryRewritten,
    QuerySearched,
    Read,
    ReasoningDelta,
    RetrievalCompleted,
    Search,
    Step,
    TextDelta,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    ToolProgressed,
    Verify,
)
from gateway.chat import stream_chat
from gateway.errors import GatewayError
from gateway.routing.routes import find_routes
from gateway.types import Completed, FindRoutes


async def run_agent(
    task: AgentTask,
    *,
    search: Search = search_documents,
    chat: Chat = stream_chat,
    verify: Verify = verify_in_database,
    read: Read = read_attachments,
    routes: FindRoutes = find_routes,
    approved: FindGiven = find_given,
    rules: FindRules = installed,
) -> AsyncGenerator[Step, None]:
    """Yield the steps of an answer, Finished last; raise GatewayError when the model fails.

    Text that was yielded before an error has been said and stays valid.
    """
    task = await admitted(await with_variables(task), rules, chat=chat, routes=routes)
    running = _run(
        task, search=search, chat=chat, verify=verify, read=read, routes=routes, approved=approved
    )
    async with aclosing(running if task.guard is None else around(task, running)) as steps:
        async for step in steps:
            yield step


async def _run(
    task: AgentTask,
    *,
    search: Search,
    chat: Chat,
    verify: Verify,
    read: Read,
    routes: FindRoutes,
    approved: FindGiven,
) -> AsyncGenerator[Step, None]:
    if task.has_lost_its_collections:
        yield RetrievalCompleted(task.question, (), 0.0)
        for step in nothing_to_search():
            yield step
        return
    given = await approved(task)
    given = given and await cleared(task, given)
    if given is not None:
        async with aclosing(give(task, given, verify)) as steps:
            async for step in steps:
                yield step
        return
    asked = Asked()
    async with aclosing(prepare(task, asked, search, read, routes=routes, chat=chat)) as steps:
        async for step in steps:
            yield step
    prepare_next = partial(prepare, search=search, read=read, routes=routes, chat=chat)
    speak = partial(_shown, chat=chat, routes=routes)
    said = one_after_another(task, asked, speak, prepare_next)
    async with aclosing(_answered(task, asked, verify, said)) as steps:
        async for step in steps:
            yield step


async def _answered(
    task: AgentTask, asked: Asked, verify: Verify, said: Talk
) -> AsyncGenerator[Step, None]:
    """Words as they come, citations as they are located, and what is known at the end."""
    known = (*asked.passages, *asked.recalled)
    evidence = Evidence(known, verify, task.question)
    gate = CitationGate([passage.n for passage in known])
    notice = ""
    async with Citing(evidence) as citing, aclosing(said) as items:
        try:
            async for item in items:
                match item:
                    case TextDelta(text):
                        if shown := gate.feed(text):
                            yield TextDelta(shown)
                        citing.add(gate.take_claims())
                    case AnswerReused() | ReasoningDelta() | EndpointSwitched():
                        yield item
                        notice = notice_of(item) or notice
                    case (
                        ToolCalled() | ToolApprovalRequested() | ToolProgressed() | LabelsDemanded()
                        | NoteTaken() | HandedOver() | QueryRewritten() | QuerySearched()
                        | PassagesReranked() | PromptAssembled()
                    ):  # fmt: skip
                        yield item
                    case ToolCompleted() | RetrievalCompleted() | AttachmentsRead():
                        evidence.add(item.passages)
                        gate.admit([passage.n for passage in item.passages])
                        yield item
                    case Completed():
                        if rest := gate.close():
                            yield TextDelta(rest)
                        async for step in proof_of(citing, evidence, item, gate.text):
                            yield step
                        yield usage_of(item)
                        yield finished(item, gate.text, notice, asked.reading, asked.notices)
                for citation in citing.ready():
                    yield citation
        except GatewayError:
            for citation in await citing.rest():  # what was said stays, and so does its evidence
                yield citation
            raise


def _shown(task: AgentTask, asked: Asked, chat: Chat, routes: FindRoutes) -> Talk:
    """What the agent's rules let through of it."""
    spoken = _spoken(task, asked, chat, routes)
    return spoken if task.guard is None else heard(task, spoken)


async def _spoken(task: AgentTask, asked: Asked, chat: Chat, routes: FindRoutes) -> Talk:
    """What the model says, or said before to the same; behind what an answer began with. Between
    its words stands what it calls, if it has tools."""
    if asked.request.continues:
        yield TextDelta(asked.request.continues)
    if asked.tools or task.caller is not None:
        talking = talk(task, asked, chat, routes)
    else:
        talking = answers(task, asked, chat, routes)
    if has_canary(task, asked.tools) or markers_beside(asked.passages):
        talking = watched(task, talking, asked.notices, asked.passages)
    async with aclosing(talking) as items:
        async for item in items:
            yield item
