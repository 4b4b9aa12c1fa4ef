"""The rows of a run: its steps and executions, written as they happen, and read to go on from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from agents.approvals.asking import give_back
from agents.running.fencing import delete, insert
from agents.running.models import RunNote, RunStep
from agents.running.notes import Note, notes_of
from agents.running.reach import readable
from agents.running.transcript import Key
from agents.tools.models import ToolExecution
from agents.tools.results import Result
from agents.tools.types import Taint, ToolOutput
from agents.types import PackedPassage, ToolStatus
from events.log import encode
from events.models import Stream
from gateway.labels import Demand
from gateway.types import Completed, TokenUsage, ToolCall
from knowledge.types import Passage
from security.ids import first_id_at
from security.sentences import as_text, stored
from security.text import storable

KEPT = timedelta(days=90)
ABANDONED = timedelta(hours=1)  # a call of whose run nobody knows
UNENDED = {ToolExecution.Status.RUNNING, ToolExecution.Status.STOPPED}
NOT_READABLE = "The person may not read all of this any more, so it is left out."
MOST_CHARS = 1_000_000  # of a result that is kept
NOT_ENDED: dict[str, Any] = {
    "status": "running", "output": "", "data": "{}", "passages": "[]", "demands": "[]",
    "documents": [], "readers": [], "taints": [],
}  # fmt: skip
PASSAGE = [one.name for one in fields(Passage)]


@dataclass(frozen=True, slots=True)
class Whose:
    """The run that rows belong to, its person and agent."""

    run_id: UUID
    owner_id: UUID
    agent_id: UUID | None
    parent: str = ""  # the call of another agent's run in which this one is
    fence: int | None = None  # of the claim that it runs under; none: nobody else can hold it

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
    """`numbers` are those under which passages came in, by their places; `notes` what the person
    said behind which step. `before` are the runs that this one goes on from, the first one first.
    """

    steps: tuple[PastStep, ...] = ()
    calls: Mapping[str, PastCall] = field(default_factory=dict)
    numbers: Mapping[Key, int] = field(default_factory=dict)
    notes: Mapping[int, Sequence[Note]] = field(default_factory=dict)
    before: tuple["Past", ...] = ()

    def has_result(self, call: ToolCall) -> bool:
        known = self.calls.get(call.id)
        return known is not None and known.result is not None

    @property
    def has_ended(self) -> bool:
        """Its model has said its last words, and nobody said anything to that."""
        return bool(self.steps) and not self.steps[-1].calls and len(self.steps) not in self.notes


def store_step(
    whose: Whose,
    ordinal: int,
    text: str,
    calls: Sequence[ToolCall],
    done: Completed,
    *,
    shown: str = "",
    opening: dict[str, Any] | None = None,
) -> None:
    """Written twice it is the same: the answer to a commit may be lost. Like all that is written
    here it raises LeaseLost, having written nothing, when the run is not the caller's any more."""
    kept = asdict(done) | {"why": as_text(stored(done.why))}
    values = {
        "ordinal": ordinal,
        "text": storable(text),
        "shown": storable(shown),
        "calls": encode([[one.id, one.name, storable(one.arguments)] for one in calls]),
        "done": encode(kept),
        "opening": None if opening is None else encode(opening),
    }
    insert(RunStep, whose.row | values, "(run_id, parent, ordinal) do nothing", whose.fence)


def store_begin(whose: Whose, call: ToolCall, tool: Mapping[str, Any], attempt: int) -> None:
    """A call that acts is about to: with the row somebody who holds the run no more learns it."""
    values = whose.row | _named(call, tool) | NOT_ENDED | {"attempts": attempt}
    insert(ToolExecution, values, _updating("attempts", "approval_id"), whose.fence)


def take_back_begin(whose: Whose, call: ToolCall) -> None:
    """Nothing was called after all; of what was begun twice nobody knows that."""
    only = "call_id = %(call_id)s and status = 'running' and attempts = 1"
    delete(ToolExecution, whose.run_id, only, {"call_id": call.id}, whose.fence)


@transaction.atomic
def set_aside(whose: Whose, call: ToolCall) -> None:
    """A call that only reads has not come to its end, and is made again with what was approved."""
    only = "call_id = %(call_id)s and status = 'running'"
    delete(ToolExecution, whose.run_id, only, {"call_id": call.id}, whose.fence)
    give_back(whose.run_id, call.id)


def store_end(
    whose: Whose, call: ToolCall, tool: Mapping[str, Any], result: Result, took_ms: int
) -> None:
    told = {"status": result.status, "took_ms": took_ms, "finished_at": timezone.now()}
    told |= _written(result)
    values = whose.row | _named(call, tool) | {"attempts": 1} | told
    insert(ToolExecution, values, _updating(*told), whose.fence)


def _updating(*names: str) -> str:
    told = ", ".join(f"{name} = excluded.{name}" for name in names)
    return f"(run_id, call_id) do update set {told}"


def load_past(run_id: UUID, parent: str = "", user: User | None = None) -> Past:
    """A few queries; nothing where nobody has begun. Of an agent that was called in the run, by the
    call `parent`. What quotes a document that `user` may not read now does not come back."""
    rows_of_steps = RunStep.objects.filter(run_id=run_id, parent=parent).order_by("ordinal")
    steps = tuple(
        PastStep(row.text, tuple(ToolCall(*one) for one in row.calls), _completed(row.done))
        for row in rows_of_steps
    )
    if not steps:
        return Past()
    rows = list(ToolExecution.objects.filter(run_id=run_id, parent=parent))
    named = {pk for row in rows for pk in row.documents}
    hidden = named - readable(user, named) if user else set()
    numbers = {_key(parts): n for row in rows for n, parts in row.passages}
    return Past(
        steps,
        {row.call_id: _past_call(row, hidden) for row in rows},
        numbers,
        notes_of(run_id) if not parent else {},
    )


def _key(parts: Sequence[Mapping[str, Any]]) -> Key:
    return tuple((UUID(part["chunk_id"]), part["start"]) for part in parts)


def begun_in(run_id: UUID) -> set[str]:
    """The calls in which runs have a step, "" for that of the agent that was asked first."""
    steps = RunStep.objects.filter(run_id=run_id, ordinal=1)
    return set(steps.values_list("parent", flat=True))


def has_kept(run_ids: Sequence[UUID], said: str, before: str = "") -> bool:
    """Whether these words are of steps that are kept, one behind the other: they come again with
    them; or of the text that the answer goes on from, `before`, and such steps behind it. Marks of
    citations may differ from what readers were shown, and nothing else."""
    wanted, begun = _letters(said), _letters(before)
    if begun and wanted.startswith(begun):
        wanted = wanted[len(begun) :]
        if not wanted:
            return True
    steps = RunStep.objects.filter(run_id__in=run_ids).order_by("id").values_list("text", "shown")
    told = [_letters(shown or text) for text, shown in steps]
    return any("".join(told[first:]).startswith(wanted) for first in range(len(told)))


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def forget_runs(run_ids: Sequence[UUID]) -> None:
    """Of conversations that are removed, in the caller's transaction."""
    RunStep.objects.filter(run_id__in=run_ids).delete()
    ToolExecution.objects.filter(run_id__in=run_ids).delete()
    RunNote.objects.filter(run_id__in=run_ids).delete()


def forget_documents(document_ids: Collection[UUID]) -> None:
    """Results that quote a document that is deleted; that they were made stays."""
    quoting = ToolExecution.objects.filter(documents__overlap=list(document_ids))
    quoting.update(output="", data={}, passages=[], documents=[])


def close_calls(run_ids: Collection[UUID]) -> int:
    """Calls of runs that have ended, and that have not: nobody knows what came of them."""
    cut = ToolExecution.objects.filter(run_id__in=run_ids, status=ToolExecution.Status.RUNNING)
    return cut.update(status=ToolExecution.Status.STOPPED, finished_at=timezone.now())


def sweep() -> int:
    """Remove what is older than KEPT; how many calls. The clock calls this."""
    now = timezone.now()
    oldest, abandoned = first_id_at(now - KEPT), first_id_at(now - ABANDONED)
    held = Stream.objects.filter(pk=OuterRef("run_id")).exclude(state=Stream.State.CLOSED)
    cut = ToolExecution.objects.filter(~Exists(held), pk__lt=abandoned, status="running")
    close_calls(list(cut.values_list("run_id", flat=True)))
    RunStep.objects.filter(pk__lt=oldest).delete()
    RunNote.objects.filter(pk__lt=oldest).delete()
    return ToolExecution.objects.filter(pk__lt=oldest).delete()[0]


def _named(call: ToolCall, tool: Mapping[str, Any]) -> dict[str, Any]:
    made = {"call_id": call.id, "arguments": storable(call.arguments)}
    return {**made, "approval_id": None, "input_taints": [], **tool}


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


def _past_call(row: ToolExecution, hidden: Collection[UUID] = ()) -> PastCall:
    if row.status in UNENDED:
        return PastCall(row.attempts, None)
    if not set(hidden).isdisjoint(row.documents):
        row.output, row.data = NOT_READABLE, {}
        row.passages = [
            one for one in row.passages if not any(UUID(p["document_id"]) in hidden for p in one[1])
        ]
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
