"""The last steps of a run: what the answer lacks, what it cost, and what its reader should know."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence

from django.utils.translation import gettext as _

from agents.citing import Citing
from agents.evidence import Evidence
from agents.types import (
    AnswerReused,
    CitationAdded,
    EndpointSwitched,
    Finished,
    Reading,
    ReasoningDelta,
    Step,
    SupportChecked,
    TextDelta,
    UsageRecorded,
)
from gateway.errors import BudgetExhausted
from gateway.types import OFFLINE, Completed
from security.sentences import Sentence, together

log = logging.getLogger(__name__)
PROPOSING_SECONDS = 10.0


def nothing_to_search() -> tuple[Step, Step]:
    """No model is asked: it would answer as if the documents said nothing."""
    text = _(
        "The collections chosen for this question are no longer there, so nothing was searched. "
        "Choose others and ask again."
    )
    return TextDelta(text), Finished(text, "", is_offline=False)


async def proof_of(
    citing: Citing, evidence: Evidence, done: Completed, text: str
) -> AsyncGenerator[CitationAdded | SupportChecked, None]:
    """The citations that are still to come, those proposed where the model made none, and how much
    of the answer its sources stand behind.

    Of an answer without any source that fits, no sentence is marked: all of them would be.
    """
    for citation in await citing.rest():
        yield citation
    if not done.is_offline:
        for citation in await _proposed(evidence, text):
            yield citation
    elif not evidence.has_cited:
        return  # it says that nothing was found
    found = await evidence.support(text, of_quotations=done.is_offline)
    if found.claims:
        marked = found.unsupported if evidence.has_cited else ()
        yield SupportChecked(marked, found.claims, found.supported)


async def _proposed(evidence: Evidence, text: str) -> list[CitationAdded]:
    """None where looking for them takes so long that the end of the answer would wait."""
    try:
        async with asyncio.timeout(PROPOSING_SECONDS):
            return await evidence.proposed(text)
    except TimeoutError:
        log.warning("sources were not proposed: that took longer than %s s", PROPOSING_SECONDS)
        return []


def notice_of(item: AnswerReused | ReasoningDelta | EndpointSwitched) -> str:
    """What the person should know about how the answer came about."""
    if not isinstance(item, EndpointSwitched):
        return ""
    if item.after and item.switched_to != OFFLINE:
        return ""  # it went on where the other stopped: a mark says so, nobody need be warned
    if item.reason == BudgetExhausted.type:
        return Sentence("cheaper", reason=item.detail)
    is_quoted = item.switched_to == OFFLINE
    return Sentence("stood_in" if is_quoted else "switched", reason=item.detail)


def usage_of(done: Completed) -> UsageRecorded:
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


def finished(
    done: Completed, text: str, notice: str, reading: Reading, more: Sequence[str] = ()
) -> Finished:
    if done.finish_reason == "length":
        notice = Sentence("length_limit")
    elif done.is_offline and not notice:
        notice = Sentence("offline")
    said = together([*(use.reason for use in reading.uses), notice, *more])
    return Finished(text, done.model, done.is_offline, said)
