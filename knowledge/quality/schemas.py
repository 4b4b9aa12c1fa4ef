"""What programs send and get about golden questions; each with an example."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints

from knowledge.models import ApprovedAnswer, GoldenQuestion, QualityRun
from knowledge.quality.approved import LONGEST_ANSWER, MOST_SOURCES, MOST_WORDINGS
from knowledge.quality.fingerprints import ways_in
from knowledge.quality.importing import MOST_BYTES
from knowledge.quality.proposing import MOST_AT_ONCE
from knowledge.quality.services import (
    LONGEST_QUESTION,
    LONGEST_QUOTE,
    MOST_EXPECTED,
    Expectation,
)
from knowledge.schemas import AT, ID, example
from knowledge.switches import Switch
from security.schemas import PageQuery, WriteSchema

Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_QUESTION)
]
Words = Annotated[str, StringConstraints(max_length=LONGEST_QUOTE)]
EXPECTED = {"document": ID, "quote": "Hotels cost at most 120 euros a night."}
CHANGE = {"n": 120, "delta": 0.012, "low": -0.004, "high": 0.029}
FIGURES = {
    "questions": 140, "expecting": 120, "nothing": 20, "hit_1": 0.86, "hit_5": 0.96,
    "hit_10": 0.98, "mrr": 0.9, "ndcg": 0.92, "quiet": 0.95, "supported": None, "p50_ms": 9.4,
    "change": {"ndcg": CHANGE},
}  # fmt: skip


class ExpectedIn(WriteSchema):
    """A passage by its words; without a quote any passage of the document will do."""

    document: UUID
    quote: Words = ""

    def to_expectation(self) -> Expectation:
        return Expectation(self.document, self.quote)


class QuestionIn(WriteSchema):
    question: Question
    expected: list[ExpectedIn] = Field([], max_length=MOST_EXPECTED)
    must_find_nothing: bool = False
    note: Annotated[str, StringConstraints(max_length=300)] = ""

    model_config = example(
        question="What may a hotel cost?", expected=[EXPECTED], must_find_nothing=False, note=""
    )

    def expectations(self) -> list[Expectation]:
        return [one.to_expectation() for one in self.expected]


class ReviewIn(WriteSchema):
    accepted: bool

    model_config = example(accepted=True)


class ImportIn(WriteSchema):
    """CSV with a heading, or one JSON object a line; see docs/quality.md."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=MOST_BYTES)]
    preview: bool = Field(False, description="Add nothing, only say what would be added.")

    model_config = example(
        content="question,document,quote\nWhat may a hotel cost?,travel.md,at most 120 euros",
        preview=True,
    )


class LineOut(Schema):
    number: int
    question: str
    must_find_nothing: bool
    problem: str = Field(description="Why it is not taken; empty where it is.")


class ImportOut(Schema):
    added: int
    lines: list[LineOut]

    model_config = example(
        added=0,
        lines=[{"number": 2, "question": "Hotels?", "must_find_nothing": False, "problem": ""}],
    )


class ProposeIn(WriteSchema):
    count: int = Field(10, ge=1, le=MOST_AT_ONCE)

    model_config = example(count=10)


class ExpectedOut(Schema):
    document: UUID = Field(alias="document_id")
    title: str = Field(alias="document.title")
    quote: str


class QuestionOut(Schema):
    id: UUID
    question: str = Field(alias="text")
    state: str = Field(description="`proposed`, `accepted` or `declined`; accepted ones count.")
    origin: str
    must_find_nothing: bool
    expected: list[ExpectedOut]
    note: str
    created_at: datetime

    model_config = example(
        id=ID, question="What may a hotel cost?", state="accepted", origin="written",
        must_find_nothing=False, expected=[EXPECTED | {"title": "Travel"}], note="", created_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_expected(found: GoldenQuestion) -> list[Any]:
        return list(found.expected.all())


class QuestionQuery(PageQuery):
    state: Literal["", "proposed", "accepted", "declined"] = ""
    q: str = Field("", max_length=200, description="A part of the question.")


class RunIn(WriteSchema):
    answers: bool | None = Field(
        None, description="Ask the model too, and count supported sentences; as planned if null."
    )
    ways: list[Switch] | None = Field(
        None,
        max_length=len(Switch),
        description="Try these ways of understanding questions (`rerank`, `rewrites`, …) instead "
        "of those that the collection has switched on; the run is no part of the trend. Some ask "
        "a model for each question, on your account.",
    )

    model_config = example(answers=None, ways=["rerank"])


class RunOut(Schema):
    id: UUID
    cause: str
    state: str = Field(description="`waiting`, `running`, `done` or `failed`.")
    reason: str
    figures: dict[str, Any] = Field(
        description="`hit_1`, `hit_5`, `hit_10`, `mrr`, `ndcg` (at ten), `quiet` (the share of "
        "questions that must find nothing and did), `supported`; `change` against `before`, with "
        "the interval of 95 %."
    )
    embedding_version: int | None = Field(alias="version_id")
    ways: list[str] = Field(description="Of understanding questions, beyond the usual ones.")
    before: UUID | None = Field(alias="before_id")
    created_at: datetime
    finished_at: datetime | None

    model_config = example(
        id=ID, cause="content", state="done", reason="", figures=FIGURES, embedding_version=1,
        ways=[], before=ID, created_at=AT, finished_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_ways(run: QualityRun) -> list[str]:
        return sorted(ways_in(run.settings))


class ResultOut(Schema):
    question: UUID = Field(alias="now.question_id")
    text: str = Field(alias="question.text")
    rank: int | None = Field(alias="now.rank")
    ndcg: float | None = Field(alias="now.ndcg")
    found_nothing: bool | None = Field(alias="now.is_quiet")
    supported: float | None = Field(alias="now.supported")
    step: int = Field(description="1 where it became better than in the run before, -1 worse.")

    model_config = example(
        question=ID, text="What may a hotel cost?", rank=1, ndcg=1.0, found_nothing=None,
        supported=None, step=0,
    )  # fmt: skip


class RunWhole(RunOut):
    results: list[ResultOut]
    next: str | None = Field(None, description="The cursor of the results that follow.")

    model_config = example(
        id=ID, cause="hand", state="done", reason="", figures=FIGURES, embedding_version=1,
        ways=[], before=None, created_at=AT, finished_at=AT,
        results=[{
            "question": ID, "text": "What may a hotel cost?", "rank": 1, "ndcg": 1.0,
            "found_nothing": None, "supported": None, "step": 0,
        }],
        next=None,
    )  # fmt: skip

    @staticmethod
    def resolve_results(run: QualityRun) -> list[Any]:
        return getattr(run, "compared", [])


class PlanBody(WriteSchema):
    schedule: Literal["none", "daily", "weekly"]
    answers: bool = False

    model_config = example(schedule="weekly", answers=False)


class PlanOut(Schema):
    schedule: str
    answers: bool = Field(alias="asks_answers")
    next_run_at: datetime | None

    model_config = example(schedule="weekly", answers=False, next_run_at=AT)


WEIGHTS = {"k1": 1.2, "b": 0.75, "scripts": {"latin": {"dense": 0.4}}}


class TuningOut(Schema):
    id: UUID
    state: str = Field(
        description="`waiting`, `running`, `ready`, `applied`, `reverted` or `failed`."
    )
    reason: str
    proposed: dict[str, Any]
    figures: dict[str, Any] = Field(description="On questions that nothing was chosen by.")
    created_at: datetime
    applied_at: datetime | None

    model_config = example(
        id=ID, state="ready", reason="", proposed=WEIGHTS,
        figures={"before": 0.9, "after": 0.93, "change": CHANGE}, created_at=AT, applied_at=None,
    )  # fmt: skip


class ForceIn(WriteSchema):
    force: bool = Field(False, description="Although golden questions lose; it is logged.")

    model_config = example(force=False)


class ApprovedIn(WriteSchema):
    question: Question
    answer: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ANSWER)
    ]
    wordings: list[Question] = Field([], max_length=MOST_WORDINGS)
    sources: list[ExpectedIn] = Field([], max_length=MOST_SOURCES)
    expires_at: datetime | None = None

    model_config = example(
        question="What may a hotel cost?", answer="At most 120 euros a night [1].",
        wordings=["How expensive may a hotel be?"], sources=[EXPECTED], expires_at=None,
    )  # fmt: skip


class ApprovedOut(Schema):
    id: UUID
    question: str
    answer: str = Field(alias="text")
    wordings: list[str]
    sources: list[ExpectedOut]
    expires_at: datetime | None
    updated_at: datetime

    model_config = example(
        id=ID, question="What may a hotel cost?", answer="At most 120 euros a night [1].",
        wordings=["How expensive may a hotel be?"], sources=[EXPECTED | {"title": "Travel"}],
        expires_at=None, updated_at=AT,
    )  # fmt: skip

    @staticmethod
    def resolve_wordings(found: ApprovedAnswer) -> list[str]:
        return [one.text for one in found.wordings.all() if one.text != found.question]

    @staticmethod
    def resolve_sources(found: ApprovedAnswer) -> list[Any]:
        return list(found.sources.all())
