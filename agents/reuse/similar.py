"""An answer to a question that means the same, under the very same circumstances.

Nearness of vectors alone is no reason: "in 2023" lies beside "in 2024", and "may I" beside "may I
not". So what the person may read must be the same in every version, rules, model and parameters the
same, language, figures and negations of the question the same, and every passage that the answer
cites must have been found for this question too. And it is the same person: others get an answer
to the very same question at most, where the agent shares. It works for the first question of a
conversation only, and only with an embedder and a nearness for which the share of false hits was
measured (`measuring`).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import structlog

from agents.asking import Asked, searched_collections
from agents.going_on import said_before
from agents.reuse.keys import question_key
from agents.reuse.models import is_measured
from agents.reuse.types import Answer
from agents.reuse.wording import is_readable, may_share
from agents.types import AgentTask, GoingOn
from caching.cache import Cache, Hit
from caching.flushing import flush
from gateway.embedding.embedder import Embedder, EmbedderUnavailable, Vectors
from gateway.errors import GatewayError
from knowledge.retrieval import embed_for
from knowledge.versions import find_active_version
from observability.patience import run_patiently

MOST_QUESTIONS = 64  # under the same circumstances; the newest stay
KEPT_SECONDS = 86_400

_MARK = re.compile(r"\[(\d{1,3})\]")

Known = list[dict[str, Any]]

log = structlog.get_logger(__name__)

QUESTIONS: Cache[Known] = Cache(
    "answers.similar", ttl=KEPT_SECONDS, size=5_000, most_bytes=32 * 1024 * 1024, near=0
)


class Alike:
    """The questions that were asked under the circumstances of this one."""

    def __init__(self, task: AgentTask, asked: Asked, state: str, who: Sequence[Any]) -> None:
        self._task = task
        self._asked = asked
        self._state = state
        self._who = who
        self._vector: Vectors | None = None

    @property
    def _is_wanted(self) -> bool:
        task = self._task
        return bool(task.agent.similarity and task.question and not task.history)

    async def find(self) -> Answer | None:
        """The answer to the nearest question, its marks turned into the numbers of the passages
        here; None when none is near enough."""
        if not (self._is_wanted and await self._is_ready()) or self._task.is_anew:
            return None
        found = await QUESTIONS.find(self._key, self._scopes)
        if not isinstance(found, Hit):
            async with found:  # nobody asked before; whoever is answered first says so
                return None
        nearest = sorted(((self._nearness(one), n) for n, one in enumerate(found.value)))[::-1]
        for nearness, n in nearest:
            if nearness < self._task.agent.similarity / 100:
                break
            if (answer := self._fitting(found.value[n])) is not None:
                return answer
        return None

    async def keep(self, answer: Answer) -> None:
        """With the questions before; two that end at once may lose one of them."""
        if self._vector is None:
            return
        known: Known = []
        found = await QUESTIONS.find(self._key, self._scopes)
        if isinstance(found, Hit):
            question = self._task.question
            known = [one for one in found.value if one["question"] != question]
            await run_patiently(flush, QUESTIONS.name, self._scopes[-1])
            found = await QUESTIONS.find(self._key, self._scopes)
            if isinstance(found, Hit):
                return
        async with found as flight:
            vector = self._vector.astype("<f2").tobytes()
            entry = {"question": self._task.question, "vector": vector, **answer.packed()}
            await flight.keep([*known, entry][-MOST_QUESTIONS:])

    async def _is_ready(self) -> bool:
        try:
            return await run_patiently(self._embed)
        except (GatewayError, EmbedderUnavailable) as error:
            log.warning("similar_questions_not_sought", reason=str(error))
            return False

    def _embed(self) -> bool:
        """Whether the embedder was measured; its vector of the question is kept here."""
        task = self._task
        version = find_active_version()
        if not is_readable(task.question, is_multilingual=version.is_multilingual):
            return False
        if not is_measured(version.model, task.agent.similarity):
            return False
        collections = searched_collections(task)
        payer = task.payer("embedding")
        embedder = embed_for(collections, task.demands, task.user, payer)(version.model)
        self._vector = vector_of(embedder, task.question)
        self._key = [version.pk, *question_key(task, self._asked, self._state, self._who)]
        here = f"questions:{QUESTIONS.field_of(self._key).hex()}"
        self._scopes = (f"person:{task.user.pk}", f"agent:{task.agent.id}", here)
        return True

    def _nearness(self, known: dict[str, Any]) -> float:
        other = np.frombuffer(known["vector"], "<f2").astype(np.float32)
        if self._vector is None or other.shape != self._vector.shape:
            return 0.0
        return float(other @ self._vector)

    def _fitting(self, known: dict[str, Any]) -> Answer | None:
        if not may_share(known["question"], self._task.question):
            return None
        fields = {name: value for name, value in known.items() if name not in OF_THE_QUESTION}
        return moved(Answer.unpacked(fields), self._asked)


OF_THE_QUESTION = frozenset({"question", "vector"})


def vector_of(embedder: Embedder, question: str) -> Vectors:
    (vector,) = embedder.embed([question])
    return np.asarray(vector, np.float32)


def moved(answer: Answer, asked: Asked) -> Answer | None:
    """The answer with the numbers that its passages have here; None if it cites one that is not
    here, or says that there is nothing where there is something."""
    here = {(p.first.document_id, p.first.start) for p in asked.passages}
    meant = {n: (document_id, start) for n, document_id, start in answer.places}
    cited = {int(n) for n in _MARK.findall(answer.text)} & meant.keys()
    if not cited:
        return None if here or meant else answer
    if not {meant[n] for n in cited} <= here:
        return None
    text = said_before(GoingOn(answer.text, meant), asked.passages)
    has_code = "`" in text  # where a number in brackets may be no mark
    return None if has_code and text != answer.text else replace(answer, text=text, places=())
