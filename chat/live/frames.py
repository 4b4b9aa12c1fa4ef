"""What goes over the socket to a browser: frames of contracts.md, as values. No I/O.

An `event` frame tells one event. Neighbouring deltas of one kind are joined into one frame: its
`seq` is that of the last of them, `from` that of the first, its text all of theirs. A client goes
on after `seq`; one that has already seen a part of `from`…`seq` asks again from where it stands.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from chat.live.beginning import Begun
from chat.models import Turn
from events.types import EventRow

Frame = dict[str, Any]


def event_frames(stream: str, rows: Iterable[EventRow]) -> Iterator[Frame]:
    """Frames for these events, as few as possible."""
    joined: list[EventRow] = []
    for row in rows:
        if joined and not (row.is_delta and row.kind == joined[0].kind):
            yield _event_frame(stream, joined)
            joined = []
        if row.is_aside:
            yield {"type": "aside", "stream": stream, "kind": row.kind, "data": row.payload}
        else:
            joined.append(row)
    if joined:
        yield _event_frame(stream, joined)


def accepted(request_id: Any, turn: "Turn | Begun") -> Frame:
    return {
        "type": "accepted",
        "id": request_id,
        "turn_id": str(turn.pk),
        "conversation_id": str(turn.conversation_id),
        "question_id": str(turn.question_id),
        "message_id": str(turn.answer_id),
    }


def noted(request_id: Any, turn_id: UUID, note_id: UUID) -> Frame:
    """What the person said to an answer that is being written is stored."""
    return {"type": "noted", "id": request_id, "turn_id": str(turn_id), "note_id": str(note_id)}


def refused(request_id: Any, problem: str, title: str, detail: str) -> Frame:
    """`problem` is stable and made for programs, the rest for people."""
    return {
        "type": "refused",
        "id": request_id,
        "problem": problem,
        "title": title,
        "detail": detail,
    }


def reload(stream: str) -> Frame:
    """What the client has of the stream cannot be continued: it must load the page anew."""
    return {"type": "reload", "stream": stream}


def changes(version: str) -> Frame:
    """The tab hears of changes from now on; `version` is that of the scripts it should have."""
    return {"type": "changes", "version": version}


def changed(what: str, conversation: str | None, turn: str | None) -> Frame:
    """Something in the list of conversations, or in one of them: look for yourself."""
    return {"type": "changed", "what": what, "conversation": conversation, "turn": turn}


def _event_frame(stream: str, rows: list[EventRow]) -> Frame:
    last = rows[-1]
    frame = {"type": "event", "stream": stream, "seq": last.seq, "kind": last.kind}
    if len(rows) == 1:
        return {**frame, "data": last.payload}
    text = "".join(row.payload["text"] for row in rows)
    return {**frame, "from": rows[0].seq, "data": {"text": text}}
