"""From the steps of an agent's run to the events of a turn, and to the answer they add up to."""

import time
from collections.abc import Iterable
from dataclasses import asdict, fields
from uuid import UUID

from agents.types import (
    AnswerApproved,
    AnswerReused,
    AttachmentsRead,
    CitationAdded,
    EndpointSwitched,
    Finished,
    GuardrailActed,
    HandedOver,
    LabelsDemanded,
    MemoriesSaved,
    MemoriesUsed,
    NoteTaken,
    PassagesReranked,
    QueryRewritten,
    QuerySearched,
    ReasoningDelta,
    RetrievalCompleted,
    Step,
    SupportChecked,
    TextDelta,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    ToolProgressed,
    UsageRecorded,
)
from chat.models import Turn
from chat.turns.carried import reached_limit
from chat.turns.payloads import CALLING, SEARCHING, calling, plain, progressed
from chat.turns.types import Answer, Ending
from chat.why.keeping import kept
from events.stream_writer import StreamWriter
from events.types import EventRow, Payload
from gateway.errors import GatewayError
from security.sentences import Sentence, as_text, stored

CITED = [field.name for field in fields(CitationAdded)]
PLAIN: dict[type, str] = {
    EndpointSwitched: "endpoint_switched",
    GuardrailActed: "guardrail_acted",
    AnswerApproved: "answer_approved",
    AnswerReused: "answer_reused",
    HandedOver: "handed_over",
    SupportChecked: "support_checked",
}
USAGE = [field.name for field in fields(UsageRecorded)]  # plain values: asdict would copy deeply


def record(step: Step, answer: Answer, stream: StreamWriter) -> None:
    """Add the step to the answer and tell it to the readers."""
    answer.steps += kept(step)
    match step:
        case TextDelta(text):
            _end_reasoning(answer, stream)
            answer.text.append(text)
            stream.emit_text("text_delta", text)
        case ReasoningDelta(text):
            answer.reasoning_since = answer.reasoning_since or time.monotonic()
            answer.reasoning.append(text)
            stream.emit_text("reasoning_delta", text)
        case CitationAdded():
            answer.citations.append(step)
            stream.emit("citation_added", plain(asdict(step) | {"lines": step.lines}))
        case (
            AttachmentsRead()
            | QueryRewritten()
            | QuerySearched()
            | PassagesReranked()
            | RetrievalCompleted()
        ):
            kind, payload_of = SEARCHING[type(step)]
            _note(kind, payload_of(step), answer, stream)
        case (
            EndpointSwitched() | AnswerApproved() | AnswerReused() | HandedOver() | GuardrailActed()
            | SupportChecked()
        ):  # fmt: skip
            _note(PLAIN[type(step)], plain(asdict(step)), answer, stream)
        case MemoriesUsed(ids) | MemoriesSaved(ids):
            kind = "memories_used" if isinstance(step, MemoriesUsed) else "memories_saved"
            _note(kind, {"ids": [str(pk) for pk in ids]}, answer, stream)
        case LabelsDemanded(labels):
            answer.labels = list(labels)
            _note("labels_demanded", {"labels": answer.labels}, answer, stream)
        case ToolCalled() | ToolApprovalRequested() | ToolCompleted():
            stream.drop_aside(step.call_id)
            kind, data = calling(step)
            _end_reasoning(answer, stream)
            _note(kind, data, answer, stream)
            _follow_call(kind, data, answer)
        case NoteTaken(note_id, text):
            _end_reasoning(answer, stream)
            _note("note_taken", {"note_id": str(note_id), "text": text}, answer, stream)
            answer.settle()
        case ToolProgressed():
            stream.emit_aside("tool_progressed", progressed(step))
        case UsageRecorded():
            _end_reasoning(answer, stream)
            answer.usage = {name: stored(getattr(step, name)) for name in USAGE}
            answer.model = step.model
            stream.emit("usage_recorded", answer.usage)
        case Finished():
            answer.model = step.model
            answer.is_offline = step.is_offline
            answer.notice = step.notice
            answer.is_finished = True


def tell_again(steps: Iterable[Payload], answer: Answer, stream: StreamWriter) -> None:
    """What an earlier holder of the run told, which nobody does anew."""
    for step in steps:
        _note(step["kind"], step["data"], answer, stream)


def rebuild(rows: Iterable[EventRow]) -> Answer:
    """The answer that these events told, since it was last begun."""
    answer = Answer()
    for _seq, kind, payload, _is_last in rows:
        match kind:
            case "turn_started":
                answer = Answer()
            case "text_delta":
                answer.text.append(payload["text"])
            case "reasoning_delta":
                answer.reasoning.append(payload["text"])
            case "citation_added":
                answer.citations.append(_citation(payload))
            case "usage_recorded":
                answer.usage = payload
                answer.model = payload["model"]
            case (
                "attachments_read"
                | "query_rewritten"
                | "query_searched"
                | "passages_reranked"
                | "retrieval_completed"
                | "support_checked"
                | "endpoint_switched"
                | "guardrail_acted"
                | "reasoning_completed"
                | "labels_demanded"
                | "answer_approved"
                | "answer_reused"
                | "memories_used"
                | "memories_saved"
                | "note_taken"
                | "tool_called"
                | "tool_approval_requested"
                | "tool_completed"
                | "handed_over"
            ):
                answer.steps.append({"kind": kind, "data": payload})
                answer.labels = payload.get("labels", answer.labels)
                _follow_call(kind, payload, answer)
    return answer


def completed(answer: Answer, answer_id: UUID, *, wants_title: bool = False) -> Ending:
    text_length = sum(len(part) for part in answer.text)
    return Ending(
        Turn.Status.COMPLETED,
        "message_completed",
        {
            "message_id": str(answer_id),
            "text_length": text_length,
            "model": answer.model,
            "is_offline": answer.is_offline,
            "notice": stored(answer.notice),
            "can_continue": reached_limit(as_text(stored(answer.notice))),
        },
        is_title_due=wants_title and not answer.is_offline and text_length > 0,
    )


def cut(answer: Answer, stream: StreamWriter) -> None:
    """The run ends before these calls do: what came of them is not known."""
    for call_id in answer.open_calls:
        step = ToolCompleted(call_id, "stopped", 0)
        _note(*calling(step), answer, stream)


def stopped(answer_id: UUID) -> Ending:
    payload = {"message_id": str(answer_id), "reason": stored(Sentence("stopped"))}
    return Ending(Turn.Status.STOPPED, "turn_stopped", payload)


def interrupted(answer_id: UUID, reason: str = "") -> Ending:
    payload = {"message_id": str(answer_id), "reason": stored(reason)}
    return Ending(Turn.Status.INTERRUPTED, "turn_interrupted", payload)


def failed(error: Payload) -> Ending:
    """`error` has a stable `type`, a `title` and a `detail` that says what to do, as it is kept."""
    return Ending(Turn.Status.FAILED, "turn_failed", error, error)


def describe(error: GatewayError) -> Payload:
    return _error(error.type, error.said)


def out_of_order() -> Payload:
    """Something of ours failed; what exactly is in the log alone."""
    return _error("internal-error", Sentence("internal_error_logged"))


def _error(kind: str, detail: Sentence) -> Payload:
    return {"type": kind, "title": stored(Sentence(kind)), "detail": stored(detail)}


def _follow_call(kind: str, data: Payload, answer: Answer) -> None:
    if kind == "note_taken":
        answer.settle()
    if kind not in CALLING:
        return
    answer.settle()
    if kind == "tool_approval_requested":
        answer.waits_for.add(data["call_id"])
    else:
        answer.waits_for.discard(data["call_id"])


def _end_reasoning(answer: Answer, stream: StreamWriter) -> None:
    """The model writes now: tell how long it has thought before."""
    if answer.reasoning_since is None:
        return
    took_ms = round((time.monotonic() - answer.reasoning_since) * 1000)
    answer.reasoning_since = None
    _note("reasoning_completed", {"took_ms": took_ms}, answer, stream)


def _note(kind: str, data: Payload, answer: Answer, stream: StreamWriter) -> None:
    answer.steps.append({"kind": kind, "data": data})
    stream.emit(kind, data)


def _citation(payload: Payload) -> CitationAdded:
    ids = {name: UUID(payload[name]) for name in ("document_id", "chunk_id")}
    told = {name: payload[name] for name in CITED if name in payload}
    return CitationAdded(**told | ids | {"heading_path": tuple(payload["heading_path"])})
