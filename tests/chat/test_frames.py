from hypothesis import given
from hypothesis import strategies as st

from chat.live.frames import event_frames
from events.types import EventRow

KINDS = ("text_delta", "reasoning_delta", "citation_added")


def rows_of(kinds):
    return [EventRow(n, kind, {"text": f"{n} "}) for n, kind in enumerate(kinds, 1)]


def test_neighbouring_deltas_are_one_frame():
    rows = rows_of(["reasoning_delta", "text_delta", "text_delta", "citation_added", "text_delta"])
    frames = list(event_frames("s", rows))
    assert frames[1] == {
        "type": "event",
        "stream": "s",
        "seq": 3,
        "from": 2,
        "kind": "text_delta",
        "data": {"text": "2 3 "},
    }
    assert [(f["seq"], f["kind"], f["data"]["text"], "from" in f) for f in frames] == [
        (1, "reasoning_delta", "1 ", False),
        (3, "text_delta", "2 3 ", True),
        (4, "citation_added", "4 ", False),
        (5, "text_delta", "5 ", False),
    ]


@given(st.lists(st.sampled_from(KINDS)), st.integers(0, 30))
def test_nothing_is_lost_or_doubled_wherever_batches_end(kinds, cut):
    rows = rows_of(kinds)
    frames = [*event_frames("s", rows[:cut]), *event_frames("s", rows[cut:])]
    expected = 1
    for frame in frames:
        assert frame.get("from", frame["seq"]) == expected
        expected = frame["seq"] + 1
    assert expected == len(rows) + 1
    assert "".join(frame["data"]["text"] for frame in frames) == "".join(
        row.payload["text"] for row in rows
    )
