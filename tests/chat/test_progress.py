"""What a turn's steps become: events for the readers, and the answer they add up to."""

from agents.types import ReasoningDelta, TextDelta, UsageRecorded
from chat.turns.progress import rebuild, record
from chat.turns.types import Answer
from events.types import EventRow


class Heard:
    """Keeps what is told, as the stream of a turn would send it."""

    def __init__(self):
        self.rows = []

    def emit(self, kind, payload):
        self.rows.append(EventRow(len(self.rows) + 1, kind, payload, is_last=False))

    def emit_text(self, kind, text):
        self.emit(kind, {"text": text})

    @property
    def kinds(self):
        return [row.kind for row in self.rows]


def test_how_long_a_model_thought_is_told_once_it_writes():
    heard, answer = Heard(), Answer()
    for step in (
        ReasoningDelta("Hm. "),
        ReasoningDelta("Yes."),
        TextDelta("It is."),
        TextDelta("!"),
    ):
        record(step, answer, heard)
    assert heard.kinds == [
        "reasoning_delta", "reasoning_delta", "reasoning_completed", "text_delta", "text_delta",
    ]  # fmt: skip
    assert [step["kind"] for step in answer.steps] == ["reasoning_completed"]
    assert answer.steps[0]["data"]["took_ms"] >= 0
    again = rebuild(heard.rows)
    assert (again.reasoning, again.text) == (["Hm. ", "Yes."], ["It is.", "!"])
    assert again.steps == answer.steps


def test_a_model_that_only_thinks_has_thought_when_its_call_ends():
    heard, answer = Heard(), Answer()
    record(ReasoningDelta("Hm."), answer, heard)
    record(UsageRecorded("m", "here", 1, 2, None, None, 5, 50), answer, heard)
    assert heard.kinds == ["reasoning_delta", "reasoning_completed", "usage_recorded"]


def test_an_answer_without_reasoning_says_nothing_about_it():
    heard, answer = Heard(), Answer()
    record(TextDelta("At once."), answer, heard)
    assert heard.kinds == ["text_delta"]
