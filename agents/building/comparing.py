"""Golden questions asked of an agent as members use it and as its draft says, one after the other.

Of each question the collection that it belongs to is searched, without tools (`agents.golden`).
Where a model answers, its answers are judged too: whether they cite what was expected, and which
share of their sentences has a source. Of a collection that the author of the draft may not see
only what its owner would find is judged, and nothing is answered on their account. Differences are
judged with the paired bootstrap.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from accounts.models import User
from agents.building.content import FIELDS, Content
from agents.golden import as_asked_of, found_for, task_for
from agents.loop import run_agent
from agents.models import Agent
from agents.types import AgentTask, CitationAdded, RetrievalCompleted, SupportChecked
from gateway.embedding.background import run
from gateway.errors import GatewayError
from gateway.routing.routes import list_routes
from knowledge.models import GoldenQuestion
from knowledge.quality.asking import Places, judge_found
from knowledge.quality.comparing import Change, paired_bootstrap
from knowledge.quality.depths import MOST_TROUBLE
from knowledge.quality.judging import DEPTH, Given, meets
from knowledge.types import SearchResult

# Of each 1 is the best. What is right may stand lower and still be found: `hit` is only told.
MEASURES = ("hit", "ndcg", "quiet", "cited", "supported")
DECIDING = MEASURES[1:]
OF_ANSWERS = ("cited", "supported")
MOST_ASKED = 200  # questions, by the hash of their ids
MOST_TOLD = 20  # questions that became worse
ANSWERED, NO_MODEL, SILENT = "answered", "no_model", "silent"

Values = dict[str, float]  # by measure
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fared:
    """How a question fared: `rank` of the first expected passage by 1, or None."""

    rank: int | None
    values: Values

    def as_found(self) -> "Fared":
        """Without what only an answer could tell."""
        return Fared(self.rank, {k: v for k, v in self.values.items() if k not in OF_ANSWERS})


@dataclass(slots=True)
class Answer:
    """What a run found, cited and could support; `is_silent` where its model did not answer."""

    found: SearchResult | None = None
    cited: tuple[Given, ...] = ()
    support: float | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """A measure before and after, and whether that is chance."""

    before: float
    after: float
    change: Change

    def as_json(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "change": self.change.as_json()}


def choose(questions: Iterable[GoldenQuestion]) -> list[GoldenQuestion]:
    """The same ones every time, however many there are."""
    by_hash = sorted(questions, key=lambda one: hashlib.sha256(one.pk.bytes).digest())
    return by_hash[:MOST_ASKED]


def collections_of(questions: Iterable[GoldenQuestion]) -> list[str]:
    """What figures rest on: who may not see all of these is not told them."""
    return sorted({str(one.collection_id) for one in questions})


def compare_contents(
    user: User,
    agent: Agent,
    contents: tuple[Content, Content],
    questions: Sequence[GoldenQuestion],
    report: Report = lambda _done, _total: None,
) -> dict[str, Any]:
    """What the second content changes of the first, as `figures` of a publication. Raises what
    search raises."""
    sides = [saying(agent, content) for content in contents]
    answers = ANSWERED if all(list_routes(side.model_name) for side in sides) else NO_MODEL
    places, total = Places(list(questions)), 2 * len(questions)
    seen = _seen_by(user, questions)
    fared: tuple[list[Fared], list[Fared]] = ([], [])
    silent = 0
    for n, question in enumerate(questions):
        collection = question.collection
        is_seen = question.pk in seen
        by = user if is_seen else collection.owner
        asked = task_for(by, collection, question.text, collection.understanding)
        for at, side in enumerate(sides):
            report(2 * n + at, total)
            has_answer = is_seen and answers == ANSWERED
            answer = _asked(as_asked_of(asked, side), has_answer=has_answer)
            silent += answer.is_silent
            if silent > max(1, MOST_TROUBLE * total):
                answers = SILENT
            one = _judged(question, answer, places, side.max_passages)
            fared[at].append(one if is_seen else one.as_found())
    report(total, total)
    left_out = () if answers == ANSWERED else OF_ANSWERS
    return {
        "questions": len(questions),
        "answers": answers,
        "collections": collections_of(questions),
        "measures": {
            name: shift.as_json()
            for name, shift in shifts(*fared).items()
            if name not in left_out
        },
        "broken": broken(questions, *fared, left_out=left_out),
    }  # fmt: skip


def shifts(before: Sequence[Fared], after: Sequence[Fared]) -> dict[str, Shift]:
    """By measure, over the questions of which both sides know it. Pure."""
    found = {}
    for name in MEASURES:
        pairs = [
            (was.values[name], is_.values[name])
            for was, is_ in zip(before, after, strict=True)
            if name in was.values and name in is_.values
        ]
        if pairs:
            first, then = (round(sum(side) / len(pairs), 6) for side in zip(*pairs, strict=True))
            change = paired_bootstrap([b - a for a, b in pairs])
            found[name] = Shift(first, then, change)
    return found


def broken(
    questions: Sequence[GoldenQuestion],
    before: Sequence[Fared],
    after: Sequence[Fared],
    *,
    left_out: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The questions that fare worse, the worst first, with what fell of each."""
    found = []
    for question, was, is_ in zip(questions, before, after, strict=True):
        fell = {
            name: [was.values[name], is_.values[name]]
            for name in DECIDING
            if name not in left_out and is_.values.get(name, 1.0) < was.values.get(name, 0.0)
        }
        if fell:
            ranks = [was.rank, is_.rank]
            lost = sum(a - b for a, b in fell.values())
            found.append((lost, {"question": str(question.pk), "rank": ranks, "fell": fell}))
    found.sort(key=lambda pair: -pair[0])
    return [one for _lost, one in found[:MOST_TOLD]]


def losses_in(figures: Mapping[str, Any]) -> dict[str, Change]:
    """The measures by which the draft loses beyond noise."""
    told = figures.get("measures", {})
    changes = {name: Change.parse(told[name]["change"]) for name in DECIDING if name in told}
    return {name: change for name, change in changes.items() if change.loses}


def saying(agent: Agent, content: Content) -> Agent:
    """The agent as if it said this; never saved."""
    said = copy(agent)
    for name in FIELDS:
        if name in content:
            setattr(said, name, content[name])
    return said


def _seen_by(user: User, questions: Sequence[GoldenQuestion]) -> set[UUID]:
    asked = [one.pk for one in questions]
    rows = GoldenQuestion.objects.visible_to(user).filter(pk__in=asked)
    return set(rows.values_list("pk", flat=True))


def _asked(task: AgentTask, *, has_answer: bool) -> Answer:
    answer = run(_answered(task)) if has_answer else Answer()
    if answer.found is None and task.agent.max_passages:
        answer.found = run(found_for(task))
    return answer


async def _answered(task: AgentTask) -> Answer:
    """A model that does not answer says nothing against what was found."""
    answer, cited = Answer(), list[Given]()
    try:
        async for step in run_agent(task):
            match step:
                case RetrievalCompleted() if answer.found is None:
                    answer.found = step.found
                case CitationAdded():
                    cited.append(Given(step.document_id, step.quote, step.start, step.end))
                case SupportChecked() if step.claims:
                    answer.support = step.supported / step.claims
    except GatewayError:
        return Answer(answer.found, is_silent=True)
    answer.cited = tuple(cited)
    return answer


def _judged(question: GoldenQuestion, answer: Answer, places: Places, most: int) -> Fared:
    """Of what was found those count that the agent's model could be shown at most."""
    found = answer.found or SearchResult(question.text, (), 0.0)
    shown = replace(found, passages=found.passages[: min(most, DEPTH)])
    judged, values = judge_found(question, shown, places), Values()
    if judged.ndcg is not None:
        values |= {"hit": float(judged.rank is not None), "ndcg": judged.ndcg}
    if judged.is_quiet is not None:
        values["quiet"] = float(judged.is_quiet)
    if answer.support is not None:
        values["supported"] = answer.support
    wanted = places.of(question)
    if wanted and not answer.is_silent:
        values["cited"] = float(any(meets(wish, one) for wish in wanted for one in answer.cited))
    return Fared(judged.rank, values)
