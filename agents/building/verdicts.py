"""What is told of a publication that waits, of what its reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.models import User
from agents.building.comparing import MEASURES, losses_in
from agents.building.gate import LABELS, is_told
from agents.models import Publication
from events.models import Job
from knowledge.models import GoldenQuestion
from knowledge.quality.comparing import Change


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    label: str
    before: float
    after: float
    change: Change
    loses: bool


@dataclass(frozen=True, slots=True)
class Worse:
    """A question that fares worse: `ranks` of the first right passage, and what else fell."""

    question: GoldenQuestion
    ranks: tuple[int | None, int | None]
    fell: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_told` is false where the figures rest on what the reader may not see; `percent` of the
    questions have been asked."""

    publication: Publication
    is_told: bool = True
    measures: list[Measure] = field(default_factory=list)
    worse: list[Worse] = field(default_factory=list)
    percent: int = 0

    @property
    def state(self) -> str:
        return str(self.publication.state)

    @property
    def questions(self) -> int:
        return int(self.publication.figures.get("questions", 0)) if self.is_told else 0

    @property
    def answers(self) -> str:
        """Whether answers were compared too, or why not."""
        return str(self.publication.figures.get("answers", "")) if self.is_told else ""


def verdict_on(user: User, publication: Publication) -> Verdict:
    """Of what `user` may see: an editor of the agent who may not read one of its collections is
    told that it loses, and neither by how much nor of how many questions."""
    figures = publication.figures
    job = Job.objects.filter(pk=publication.job_id).first() if publication.job_id else None
    percent = 100 * job.done // job.total if job and job.total else 0
    if not is_told(user, figures):
        return Verdict(publication, is_told=False, percent=percent)
    return Verdict(
        publication,
        measures=_measures(figures),
        worse=_worse(user, figures),
        percent=percent,
    )


def _measures(figures: Mapping[str, Any]) -> list[Measure]:
    told, losses = figures.get("measures", {}), losses_in(figures)
    return [
        Measure(
            name, str(LABELS[name]), told[name]["before"], told[name]["after"],
            Change.parse(told[name]["change"]), name in losses,
        )
        for name in MEASURES
        if name in told
    ]  # fmt: skip


def _worse(user: User, figures: Mapping[str, Any]) -> list[Worse]:
    """In the order in which they were found: the worst first."""
    told = figures.get("broken", [])
    seen = GoldenQuestion.objects.visible_to(user).filter(pk__in=[one["question"] for one in told])
    known = {one.pk: one for one in seen}
    return [
        Worse(
            known[UUID(one["question"])],
            (one["rank"][0], one["rank"][1]),
            {name: (pair[0], pair[1]) for name, pair in one["fell"].items()},
        )
        for one in told
        if UUID(one["question"]) in known
    ]
