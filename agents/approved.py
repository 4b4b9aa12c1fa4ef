"""An answer that a curator approved for this question, given before any model is asked."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic

from agents.asking import searched_collections
from agents.citations import CitationGate
from agents.evidence import Evidence
from agents.types import (
    AgentTask,
    AnswerApproved,
    Finished,
    LabelsDemanded,
    PackedPassage,
    RetrievalCompleted,
    Step,
    TextDelta,
    Verify,
)
from knowledge.quality.approved import Approved, find_approved
from observability.patience import run_patiently

FindGiven = Callable[[AgentTask], Awaitable[Approved | None]]


async def find_given(task: AgentTask) -> Approved | None:
    """None where something else is wanted: another answer, or one about attached files."""
    collections = searched_collections(task)
    is_plain = task.question and not (task.attachments or task.is_anew or task.goes_on)
    if not is_plain or not task.agent.max_passages or collections == []:
        return None
    return await run_patiently(find_approved, task.user, task.question, collections)


async def give(task: AgentTask, given: Approved, verify: Verify) -> AsyncGenerator[Step, None]:
    """The curator's words, cited like any answer's: what does not stand in a source any more is
    not shown as a citation. What its collection demands of models is demanded from now on."""
    began = monotonic()
    packed = tuple(PackedPassage(n, (passage,)) for n, passage in given.passages)
    labels = {demand.label for demand in task.demands} | set(given.labels)
    if labels:
        yield LabelsDemanded(tuple(sorted(labels)))
    yield RetrievalCompleted(task.question, packed, (monotonic() - began) * 1000)
    yield AnswerApproved(given.id, given.question, given.approved_at.isoformat(), given.is_exact)
    gate = CitationGate([passage.n for passage in packed])
    yield TextDelta(gate.feed(given.cited_text) + gate.close())
    for citation in await Evidence(packed, verify, task.question).for_claims(gate.take_claims()):
        yield citation
    yield Finished(gate.text, "", is_offline=False)
