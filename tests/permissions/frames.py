"""What the socket answers to whom: one row a frame, one column a member of the cast."""

from dataclasses import dataclass
from typing import Any

from tests.support.world import SIGNED_IN

TAKEN, NOTED, GONE, QUIET = "accepted", "noted", "not-found", ""


@dataclass(frozen=True)
class Frame:
    """`body` names ids as `{conversation_id}`; `answers` are in the order of SIGNED_IN."""

    body: dict[str, Any]
    answers: tuple[str, ...]

    @property
    def kind(self) -> str:
        return str(self.body["type"])


def frame(owner: str, editor: str, reader: str, stranger: str, **body: Any) -> Frame:
    answers = (owner, editor, reader, reader, stranger, stranger)
    assert len(answers) == len(SIGNED_IN)
    return Frame(body, answers)


def start(owner: str, editor: str, reader: str, stranger: str, **body: Any) -> Frame:
    return frame(owner, editor, reader, stranger, type="turn.start", text="When?", **body)


THEIRS = "{conversation_id}"
FRAMES = [
    start(TAKEN, TAKEN, TAKEN, TAKEN),
    start(TAKEN, TAKEN, GONE, GONE, conversation=THEIRS),
    start(TAKEN, TAKEN, GONE, GONE, conversation=THEIRS, parent="{message_id}"),
    frame(
        TAKEN, TAKEN, GONE, GONE,
        type="turn.start", conversation=THEIRS, question="{question_id}",
    ),
    frame(
        TAKEN, TAKEN, GONE, GONE, type="turn.start", conversation=THEIRS,
        question="{question_id}", beside="{message_id}",
    ),
    # A message is found in the conversation that was named, and nowhere else.
    start(GONE, GONE, GONE, GONE, parent="{message_id}"),
    start(GONE, GONE, GONE, GONE, question="{question_id}"),
    start(GONE, GONE, GONE, GONE, conversation="{own}", parent="{message_id}"),
    start(GONE, GONE, GONE, GONE, conversation="{own}", question="{question_id}"),
    start(GONE, GONE, GONE, GONE, conversation="{own}", beside="{message_id}"),
    start(GONE, GONE, GONE, GONE, conversation="{own}", continues="{message_id}"),
    start(GONE, GONE, GONE, GONE, continues="{message_id}"),
    start(TAKEN, TAKEN, TAKEN, GONE, agent="{agent_id}"),
    start(TAKEN, TAKEN, TAKEN, GONE, agent="{agent}"),
    start(TAKEN, TAKEN, TAKEN, GONE, collections=["{collection_id}"]),
    start(TAKEN, TAKEN, TAKEN, GONE, conversation="{own}", collections=["{collection_id}"]),
    # Ids of another kind of thing are ids of nothing.
    start(GONE, GONE, GONE, GONE, conversation="{document_id}"),
    start(GONE, GONE, GONE, GONE, collections=["{document_id}"]),
    start(GONE, GONE, GONE, GONE, agent="{conversation_id}"),
    frame(NOTED, GONE, GONE, GONE, type="turn.steer", turn_id="{turn_id}", text="And?"),
    frame(GONE, GONE, GONE, GONE, type="turn.steer", turn_id="{job_id}", text="And?"),
    frame(QUIET, QUIET, QUIET, QUIET, type="changes"),
    frame(QUIET, QUIET, GONE, GONE, type="turn.stop", turn_id="{turn_id}"),
    frame(QUIET, QUIET, GONE, GONE, type="turn.stop", turn="{turn_id}"),
    frame(QUIET, QUIET, GONE, GONE, type="turn.stop", stream="{turn_id}"),
    frame(GONE, GONE, GONE, GONE, type="turn.stop", turn_id="{job_id}"),
    frame(QUIET, QUIET, QUIET, GONE, type="subscribe", stream="{turn_id}", after=0),
    frame(QUIET, QUIET, QUIET, GONE, type="subscribe", stream="{job_id}", after=0),
    frame(GONE, GONE, GONE, GONE, type="subscribe", stream="{conversation_id}"),
    frame(GONE, GONE, GONE, GONE, type="subscribe", stream="{document_id}"),
    frame(QUIET, QUIET, QUIET, QUIET, type="unsubscribe", stream="{turn_id}"),
    frame(QUIET, QUIET, QUIET, QUIET, type="ack", stream="{turn_id}", seq=1),
    frame(QUIET, QUIET, QUIET, QUIET, type="ping"),
]  # fmt: skip
