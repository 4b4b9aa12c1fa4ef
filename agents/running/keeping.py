"""The rows of a run: its steps and executions, written as they happen, and read to go on from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.utils import timezone

from agents.running.models import RunStep
from agents.tools.models import ToolExecution
from agents.tools.results import Result
from agents.tools.types import Taint, ToolOutput
from agents.types import PackedPassage, ToolStatus
from events.log import encode
from gateway.labels import Demand
from gateway.types import Completed, TokenUsage, ToolCall
from knowledge.types import Passage
from observability.postgres.prepared import prepared
from security.ids import first_id_at, new_id
from security.sentences import as_text, stored
from security.text import storable

KEPT = timedelta(days=90)
MOST_CHARS = 1_000_000  # of a result that is kept
JSON = frozenset({"calls", "done", "data", "passages", "demands"})
NOT_ENDED: dict[str, Any] = {
    "status": "running", "output": "", "data": "{}", "passages": "[]", "demands": "[]",
    "documents": [], "readers": [], "taints": [],
}  # fmt: skip
PASSAGE = [field.name for field in fields(Passage)]


@dataclass(frozen=True, slots=True)
class Whose:
    """The run that rows belong to, its person and agent."""

    run_id: UUID
    owner_id: UUID
    agent_id: UUID | None
    parent: str = ""  # the call of another agent's run in which this one is

    @property
    def row(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id, "owner_id": self.owner_id, "agent_id": self.agent_id,
            "parent": self.parent,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of an earlier holder of the run; without a `result` it was begun alone."""

    attempts: int
    result: Result | None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class PastStep:
    text: str
    calls: tuple[ToolCall, ...]
    done: Completed


@dataclass(frozen=True, slots=True)
class Past:
    steps: tuple[PastStep, ...] = ()
    calls: Mapping[str, PastCall] = ()  # type: ignore[assignment]


def store_step(
    whose: Whose, ordinal: int, text: str, calls: Sequence[ToolCall], done: Completed
) -> None:
    """Written twice it is the same: the answer to a commit may be lost."""
    kept = asdict(done) | {"why": as_text(stored(done.why))}
    values = {
        "ordinal": ordinal,
        "text": storable(text),
        "calls": encode([[one.id, one.name, storable(one.arguments)] for one in calls]),
        "done": encode(kept),
    }
    _insert(RunStep, whose.row | values, "do nothing")


def store_begin(whose: Whose, call: ToolCall, tool: Mapping[str, Any], attempt: int) -> None:
    """A call that acts is about to."""
    values = whose.row | _named(call, tool) | NOT_ENDED | {"attempts": attempt}
    _insert(ToolExecution, values, _updating("attempts", "approval_id"))


def store_end(
    whose: Whose, call: ToolCall, tool: Mapping[str, Any], result: Result, took_ms: int
) -> None:
    told = {"status": result.status, "took_ms": took_ms, "finished_at": timezone.now()}
    told |= _written(result)
    values = whose.row | _named(call, tool) | {"attempts": 1} | told
    _insert(ToolExecution, values, _updating(*told))


def _insert(model: type[RunStep | ToolExecution], values: Mapping[str, Any], conflict: str) -> None:
    """One statement and one wait for the disk: a step of a run makes two of them."""
    key = "parent, ordinal" if model is RunStep else "call_id"
    row: dict[str, Any] = {"id": new_id(), "created_at": timezone.now(), **values}
    marks = (f"%({name})s{'::jsonb' if name in JSON else ''}" for name in row)
    statement = (
        f"insert into {model._meta.db_table} ({', '.join(row)}) values ({', '.join(marks)}) "  # noqa: S608 - names of our own columns
        f"on conflict (run_id, {key}) {conflict}"
    )
    with prepared() as cursor:
        cursor.execute(statement, row)


def _updating(*names: str) -> str:
    return f"do update set {', '.join(f'{name} = excluded.{name}' for name in names)}"


def load_past(run_id: UUID, parent: str = "") -> Past:
    """Two queries; nothing where nobody has begun. Of an agent that was called in the run, by the
    call `parent`."""
    rows_of_steps = RunStep.objects.filter(run_id=run_id, parent=parent).order_by("ordinal")
    steps = tuple(
        PastStep(row.text, tuple(ToolCall(*one) for one in row.calls), _completed(row.done))
        for row in rows_of_steps
    )
    if not steps:
        return Past((), {})
    rows = ToolExecution.objects.filter(run_id=run_id, parent=parent)
    return Past(steps, {row.call_id: _past_call(row) for row in rows})


def has_kept(run_id: UUID, said: str) -> bool:
    """Whether these words are of a step that is kept: they come again with it. Marks of citations
    may differ from what the model wrote, and nothing else."""
    wanted = _letters(said)
    steps = RunStep.objects.filter(run_id=run_id).values_list("text", flat=True)
    return any(_letters(text).startswith(wanted) for text in steps)


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def forget_runs(run_ids: Sequence[UUID]) -> None:
    """Of conversations that are removed, in the caller's transaction."""
    RunStep.objects.filter(run_id__in=run_ids).delete()
    ToolExecution.objects.filter(run_id__in=run_ids).delete()


def forget_documents(document_ids: Collection[UUID]) -> None:
    """Results that quote a document that is deleted; that they were made stays."""
    quoting = ToolExecution.objects.filter(documents__overlap=list(document_ids))
    quoting.update(output="", data={}, passages=[], documents=[])


def sweep() -> int:
    """Remove what is older than KEPT; how many calls. The clock calls this."""
    oldest = first_id_at(timezone.now() - KEPT)
    RunStep.objects.filter(pk__lt=oldest).delete()
    return ToolExecution.objects.filter(pk__lt=oldest).delete()[0]


def _named(call: ToolCall, tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"call_id": call.id, "arguments": storable(call.arguments), "approval_id": None, **tool}


def _written(result: Result) -> dict[str, Any]:
    output = result.output or ToolOutput(result.text)
    passages = [
        [packed.n, [asdict(part) | {"ranks": {}} for part in packed.parts]]
        for packed in output.passages
    ]
    return {
        "output": storable(output.text)[:MOST_CHARS],
        "data": _data(output.data),
        "passages": encode(passages),
        "documents": sorted(
            output.documents | {one.document_id for p in output.passages for one in p.parts}
        ),
        "readers": sorted(output.readers),
        "taints": sorted(taint.value for taint in output.taints),
        "demands": encode([[one.label, one.kind, one.name] for one in output.demands]),
    }


def _data(data: Mapping[str, Any]) -> str:
    """Nothing, where it has what JSON cannot say: the words are kept all the same."""
    try:
        return encode(dict(data))
    except (TypeError, ValueError, RecursionError):
        return "{}"


def _past_call(row: ToolExecution) -> PastCall:
    if row.status == ToolExecution.Status.RUNNING:
        return PastCall(row.attempts, None)
    status = cast("ToolStatus", row.status)
    is_quoting = bool(row.taints or row.readers or row.demands or row.passages or row.data)
    if row.status != ToolExecution.Status.DONE and not is_quoting:
        return PastCall(row.attempts, Result(status, text=row.output), row.took_ms or 0)
    output = ToolOutput(
        row.output,
        row.data,
        tuple(PackedPassage(n, tuple(map(_passage, parts))) for n, parts in row.passages),
        frozenset(map(Taint, row.taints)),
        frozenset(row.readers),
        tuple(Demand(*one) for one in row.demands),
    )
    return PastCall(row.attempts, Result(status, output), row.took_ms or 0)


def _passage(kept: Mapping[str, Any]) -> Passage:
    ids = {name: UUID(kept[name]) for name in ("chunk_id", "document_id", "collection_id")}
    told = {name: kept[name] for name in PASSAGE if name in kept}
    return Passage(**told | ids | {"heading_path": tuple(kept["heading_path"])})


def _completed(kept: Mapping[str, Any]) -> Completed:
    return Completed(**{**kept, "usage": TokenUsage(**kept["usage"])})
