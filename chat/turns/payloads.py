"""What readers are told of how a question was read and searched, as JSON holds it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from agents.tools.results import ANSWER
from agents.types import (
    AttachmentsRead,
    PackedPassage,
    PassagesReranked,
    QueryRewritten,
    QuerySearched,
    RetrievalCompleted,
    ToolApprovalRequested,
    ToolCalled,
    ToolCompleted,
    ToolProgressed,
)
from events.log import encode
from events.types import Payload
from knowledge.types import Passage
from security.sentences import stored


def plain(values: Payload) -> Payload:
    """As JSON holds it; sentences as they are kept."""
    return {
        name: str(value) if isinstance(value, UUID) else stored(value)
        for name, value in values.items()
    }


def _rewritten(step: QueryRewritten) -> Payload:
    return {
        "queries": [
            {"text": query.text, "way": query.way.value, "weight": query.weight}
            for query in step.queries
        ],
        "filters": [
            {
                "kind": one.kind.value,
                "words": one.words,
                "values": list(one.values),
                "from": one.from_ and one.from_.isoformat(),
                "until": one.until and one.until.isoformat(),
                "counts": one.counts,
            }
            for one in step.recognised
        ],
        "took_ms": step.took_ms,
        "model": step.model,
        "trouble": step.trouble,
    }


def _retrieval(step: RetrievalCompleted) -> Payload:
    return {
        "query": step.query,
        "took_ms": step.took_ms,
        "passages": [_passage(passage) for passage in step.passages],
    }


def _searched(step: QuerySearched) -> Payload:
    """Its passages have no numbers: what of them the model is shown is not known yet."""
    return {
        "query": step.query,
        "way": step.way,
        "count": step.count,
        "took_ms": step.took_ms,
        "passages": [_place(passage) for passage in step.passages],
    }


def _place(passage: Passage) -> Payload:
    return {
        "document_id": str(passage.document_id),
        "title": passage.title,
        "heading_path": list(passage.heading_path),
        "page": passage.page,
        "start": passage.start,
        "end": passage.end,
    }


def _attachments(step: AttachmentsRead) -> Payload:
    return {
        "attachments": [plain(asdict(use)) for use in step.uses],
        "took_ms": step.took_ms,
        "passages": [_passage(passage) for passage in step.passages],
    }


SEARCHING: dict[type, tuple[str, Callable[[Any], Payload]]] = {
    AttachmentsRead: ("attachments_read", _attachments),
    QueryRewritten: ("query_rewritten", _rewritten),
    QuerySearched: ("query_searched", _searched),
    PassagesReranked: ("passages_reranked", asdict),
    RetrievalCompleted: ("retrieval_completed", _retrieval),
}

DRAWN = frozenset({"chart"})  # kinds of data that a page draws below the answer
HANDED = ("slug", "name", "from_slug", "from_name", "reason")
CALLING = frozenset({"tool_called", "tool_approval_requested", "tool_completed"})


def calling(step: ToolCalled | ToolApprovalRequested | ToolCompleted) -> tuple[str, Payload]:
    """Of a result that is private its length alone, and which passages the reader may see."""
    match step:
        case ToolCalled():
            return "tool_called", plain(asdict(step))
        case ToolApprovalRequested():
            return "tool_approval_requested", plain(asdict(step))
    shows = "" if step.is_private else str(step.data.get("kind", ""))
    told = {
        "call_id": step.call_id,
        "status": step.status,
        "took_ms": step.took_ms,
        "chars": step.chars,
        "text": "" if step.is_private else stored(step.text),
        # As text: what a tool wrote is never taken for words of ours (`chat.spoken`).
        "drawing": encode(dict(step.data)) if shows in DRAWN else "",
        "is_private": step.is_private,
        "parent": step.parent,
        "spent": dict(step.data.get("spent") or {}) if step.data.get("kind") == ANSWER else {},
        "passages": [_passage(passage) for passage in step.passages],
    }
    return "tool_completed", told


def progressed(step: ToolProgressed) -> Payload:
    """What a tool says of itself is never taken for words of ours."""
    return {
        "call_id": step.call_id,
        "text": step.text,
        "done": step.done,
        "total": step.total,
    }


def notes_in(steps: Sequence[Payload]) -> list[str]:
    """What the person said to a run, from the steps of its answer."""
    return [step["data"]["text"] for step in steps if step["kind"] == "note_taken"]


def handed_in(steps: Sequence[Payload]) -> list[Payload]:
    """To whom a run was handed over and why, one after the other, from its answer's steps."""
    told = (step["data"] for step in steps if step["kind"] == "handed_over")
    return [{name: data[name] for name in HANDED} for data in told]


def _passage(packed: PackedPassage) -> Payload:
    first, last = packed.parts[0], packed.parts[-1]
    return {
        "n": packed.n,
        "chunk_id": str(first.chunk_id),
        "document_id": str(first.document_id),
        "title": first.title,
        "heading_path": list(first.heading_path),
        "page": first.page,
        "lines": packed.lines,
        "start": first.start,
        "end": last.end,
        "score": packed.score,
    }
