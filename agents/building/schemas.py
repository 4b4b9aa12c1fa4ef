"""What the JSON API says and accepts about drafts, versions and files of agents."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from agents.guardrails.rules import MOST as MOST_GUARDRAILS
from agents.guardrails.rules import Guardrail, stored
from knowledge.switches import Switch
from security.schemas import WriteSchema

ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
AT = "2026-11-21T09:30:00Z"
WORDS = {
    "name": "HR assistant",
    "emoji": "🌱",
    "description": "Answers questions on leave and benefits.",
    "instructions": "Answer {{person}} in two sentences. Today is {{today}}.",
    "starters": ["How much leave do I have left?"],
}
CONTENT = WORDS | {
    "picture": None, "model_name": "", "reasoning_effort": "", "temperature": 0.2,
    "decoding": {"top_p": 0.9, "avoided": ["delve"]},
    "max_answer_tokens": 2000, "is_limited": True, "collections": [ID], "max_passages": 8,
    "context_tokens": 6000, "understanding": {"filters": True}, "tools": [],
    "helpers": [{"agent": ID, "way": "ask", "when": "About contracts."}],
    "limits": {"steps": 6}, "guardrails": [], "reuse": "off", "reuse_seconds": 86400,
}  # fmt: skip


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


def _is_a_sign(value: str) -> str:
    if any(character.isalnum() or character.isspace() for character in value):
        raise ValueError("An emoji has no letters, digits or spaces.")
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Emoji = Annotated[str, StringConstraints(max_length=16), AfterValidator(_is_a_sign)]
Starter = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ToolName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
CollectionName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class LimitsIn(WriteSchema):
    """Of one run with tools; what is missing is as usual."""

    steps: int | None = Field(None, ge=2, le=50, description="Calls of a model.")
    calls: int | None = Field(None, ge=1, le=200, description="Calls of tools.")
    tokens: int | None = Field(None, ge=1000, le=2_000_000)
    seconds: int | None = Field(None, ge=10, le=1800)
    repeats: int | None = Field(None, ge=1, le=20, description="Of the very same call.")
    money: float | None = Field(
        None, ge=0.0001, le=10_000, description="In any one currency; unknown prices stop it, too."
    )

    model_config = example(steps=6)


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class DecodingIn(WriteSchema):
    """Beside temperature and thinking. What is missing is as the model does; what its endpoint
    cannot do is refused when the agent is asked, with the reason."""

    top_p: float | None = Field(None, ge=0.01, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    lora: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = Field(
        None, description="An adapter that the server has, by its name."
    )
    avoided: Annotated[list[Word], Field(max_length=50)] | None = Field(
        None, description="Words that are not said, by the tokens of the model."
    )

    model_config = example(top_p=0.9, avoided=["delve"])

    def said(self) -> dict[str, Any]:
        return {name: value for name, value in self if value not in (None, "", [])}


When = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]


class HelperIn(WriteSchema):
    """Another agent that this one may call: with the rights of whoever asks, each time."""

    agent: UUID = Field(description="One that you may use.")
    way: Literal["ask", "hand_over"] = Field(
        description="`ask`: it is told the answer. `hand_over`: that one goes on in its place."
    )
    when: When = Field("", description="For its model; empty: the description of that agent.")

    model_config = example(agent=ID, way="ask", when="About contracts.")


class ContentPatch(WriteSchema):
    """What is missing or null stays as it is."""

    name: Annotated[str, StringConstraints(max_length=80)] | None = None
    emoji: Emoji | None = None
    description: Annotated[str, StringConstraints(max_length=300)] | None = None
    instructions: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(
        None,
        description="`{{today}}`, `{{person}}`, `{{language}}` and `{{team}}` are filled in when "
        "a run begins.",
    )
    model_name: Annotated[str, StringConstraints(max_length=120)] | None = Field(
        None, description="Empty: the default model."
    )
    reasoning_effort: Literal["", "low", "medium", "high"] | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    decoding: DecodingIn | None = None
    max_answer_tokens: int | None = Field(None, ge=50, le=100_000)
    is_limited: bool | None = Field(
        None, description="Whether it searches its collections only, and not all one may see."
    )
    collections: Annotated[list[UUID], Field(max_length=100)] | None = Field(
        None, description="Of those that you may see; others that it has stay."
    )
    max_passages: int | None = Field(None, ge=0, le=50, description="0: it never searches.")
    context_tokens: int | None = Field(None, ge=500, le=1_000_000)
    understanding: dict[Switch, bool] | None = None
    tools: Annotated[list[ToolName], Field(max_length=100)] | None = None
    helpers: Annotated[list[HelperIn], Field(max_length=40)] | None = Field(
        None, description="Of those that you may use; others that it has stay."
    )
    limits: LimitsIn | None = None
    guardrails: Annotated[list[Guardrail], Field(max_length=MOST_GUARDRAILS)] | None = Field(
        None, description="Behind those of the installation, which an agent can only add to."
    )
    starters: Annotated[list[Starter], Field(max_length=8)] | None = None
    reuse: Literal["off", "person", "shared"] | None = None
    reuse_seconds: Literal[3600, 86400, 604800] | None = None

    model_config = example(description="Answers questions on leave.")

    def changes(self) -> dict[str, Any]:
        found = {name: value for name, value in self if value is not None}
        if "helpers" in found:
            found["helpers"] = [one.model_dump() for one in found["helpers"]]
        if "limits" in found:
            found["limits"] = found["limits"].model_dump(exclude_none=True)
        if self.decoding is not None:
            found["decoding"] = self.decoding.said()
        if "guardrails" in found:
            found["guardrails"] = [stored(rule) for rule in found["guardrails"]]
        if "understanding" in found:
            found["understanding"] = {str(one): on for one, on in found["understanding"].items()}
        return found


class AgentIn(WriteSchema):
    name: Name
    content: ContentPatch | None = None

    model_config = example(name="HR assistant", content={"description": WORDS["description"]})


class DraftIn(WriteSchema):
    revision: int = Field(description="That of the draft as you read it.")
    content: ContentPatch

    model_config = example(revision=4, content={"description": WORDS["description"]})


class DraftOut(Schema):
    id: UUID = Field(description="Of the agent.")
    slug: str
    try_as: str = Field(description="A question with this `agent` is answered by the draft.")
    version: int = Field(description="The published one; 0: none yet.")
    revision: int = Field(description="Grows with every change of the draft.")
    has_changes: bool = Field(description="Whether it says anything that is not published.")
    content: dict[str, Any]
    hidden_collections: int = Field(description="How many it has that you may not see.")
    hidden_helpers: int = Field(description="How many agents it may call that you may not use.")

    model_config = example(
        id=ID, slug="hr-assistant", try_as=f"draft-{ID}", version=3, revision=17,
        has_changes=True, content=CONTENT, hidden_collections=0, hidden_helpers=0,
    )  # fmt: skip


class PublishIn(WriteSchema):
    revision: int
    note: Note = ""
    force: bool = Field(
        False, description="Publish it whatever golden questions say; needs a `reason`."
    )
    reason: Note = Field("", description="Why, for the audit log.")

    model_config = example(revision=17, note="Shorter answers.")


class MeasureOut(Schema):
    name: str = Field(description="`hit`, `ndcg`, `quiet`, `cited` or `supported`.")
    before: float
    after: float
    delta: float
    low: float = Field(description="The difference lies between `low` and `high` (95 %).")
    high: float
    n: int = Field(description="Questions that say something about it.")
    loses: bool

    @staticmethod
    def resolve_delta(row: Any) -> float:
        return float(row.change.delta)

    @staticmethod
    def resolve_low(row: Any) -> float:
        return float(row.change.low)

    @staticmethod
    def resolve_high(row: Any) -> float:
        return float(row.change.high)

    @staticmethod
    def resolve_n(row: Any) -> int:
        return int(row.change.n)


class WorseOut(Schema):
    question_id: UUID
    question: str
    rank_before: int | None = Field(description="Of the first expected passage; none: not found.")
    rank_after: int | None
    fell: dict[str, list[float]] = Field(description="By measure, before and after.")

    @staticmethod
    def resolve_question_id(row: Any) -> Any:
        return row.question.pk

    @staticmethod
    def resolve_question(row: Any) -> str:
        return str(row.question.text)

    @staticmethod
    def resolve_rank_before(row: Any) -> int | None:
        return row.ranks[0]  # type: ignore[no-any-return]

    @staticmethod
    def resolve_rank_after(row: Any) -> int | None:
        return row.ranks[1]  # type: ignore[no-any-return]


class PublicationOut(Schema):
    """A draft that golden questions are asked of before it is a version."""

    state: str = Field(
        description="`asking`, `held` (it loses), `failed`, `published`; `none`: nothing waits."
    )
    revision: int = Field(0, description="Of the draft.")
    basis: int = Field(0, description="The version that it is compared with.")
    number: int = Field(0, description="The version that it became; 0: none.")
    reason: str = Field("", description="Why it failed.")
    job_id: UUID | None = None
    questions: int = 0
    answers: str = Field(
        "",
        description="`answered`: answers were compared, too; else what was found alone, since there"
        " is `no_model` or it was `silent`.",
    )
    is_told: bool = Field(True, description="False: the figures rest on what you may not see.")
    measures: list[MeasureOut] = []
    worse: list[WorseOut] = Field([], description="The questions that fare worse, at most 20.")

    model_config = example(
        state="held", revision=17, basis=3, number=0, reason="", job_id=ID, questions=40,
        answers="answered", is_told=True,
        measures=[
            {"name": "supported", "before": 0.98, "after": 0.61, "delta": -0.37, "low": -0.5,
             "high": -0.22, "n": 40, "loses": True}
        ],
        worse=[
            {"question_id": ID, "question": "What may a hotel cost?", "rank_before": 1,
             "rank_after": 1, "fell": {"supported": [1.0, 0.5]}}
        ],
    )  # fmt: skip


class VersionOut(Schema):
    number: int
    note: str
    by: str = Field(description="Empty: nobody knows, or somebody who is gone.")
    is_current: bool
    created_at: datetime

    model_config = example(
        number=3, note="Shorter answers.", by="Alice", is_current=True, created_at=AT
    )

    @staticmethod
    def resolve_by(row: Any) -> str:
        return str(row.by.get_short_name()) if row.by else ""

    @staticmethod
    def resolve_is_current(row: Any) -> bool:
        return bool(row.number == row.agent.version)


class VersionWhole(VersionOut):
    content: dict[str, Any]

    model_config = example(
        number=3, note="Shorter answers.", by="Alice", is_current=True, created_at=AT,
        content=CONTENT,
    )  # fmt: skip


class WordsOut(Schema):
    kind: str = Field(description="`same`, `old` or `new`.")
    text: str


class DifferenceOut(Schema):
    field: str
    label: str
    words: list[WordsOut]

    model_config = example(
        field="description",
        label="Description",
        words=[{"kind": "same", "text": "Answers "}, {"kind": "new", "text": "questions"}],
    )


class FileHelper(Schema):
    """By slug, and by name where no agent here has that."""

    agent: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    name: Annotated[str, StringConstraints(max_length=80)] = ""
    way: Literal["ask", "hand_over"]
    when: When = ""


class FileContent(ContentPatch):
    """An agent as it stands in a file."""

    name: Name
    collections: Annotated[list[CollectionName], Field(max_length=100)] | None = None  # type: ignore[assignment]  # names, not ids
    helpers: Annotated[list[FileHelper], Field(max_length=40)] | None = None  # type: ignore[assignment]  # slugs, not ids
    understanding: dict[str, bool] | None = None  # type: ignore[assignment]  # unknown ones are told

    model_config = ConfigDict(extra="ignore")


class AgentFile(WriteSchema):
    format: Literal["parley-agent"]
    version: Literal[1]
    agent: FileContent

    model_config = example(
        format="parley-agent", version=1, agent=WORDS | {"collections": ["HR policies"]}
    )


class ImportIn(WriteSchema):
    file: AgentFile
    preview: bool = Field(False, description="Say what would be made, and make nothing.")

    model_config = example(
        file={"format": "parley-agent", "version": 1, "agent": WORDS}, preview=True
    )


class ImportOut(Schema):
    id: UUID | None = Field(description="Of the agent that was made; none in a preview.")
    name: str
    unmatched: list[str] = Field(description="What of the file there is none of here.")

    model_config = example(
        id=None, name="HR assistant",
        unmatched=["No collection of yours is called “HR policies”."],
    )  # fmt: skip
