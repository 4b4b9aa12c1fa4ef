"""Any interleaving gives each client every event exactly once, in order, or an honest reload."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import tail as tail_module
from events.log import Answer, Replay
from events.tail import Tail
from events.types import CannotReplay, EventRow, fence_of, first_seq


class ModelLog:
    """What Postgres holds, as `events.log.read` would tell it, in memory."""

    def __init__(self):
        self.fence = 1
        self.emitted = []  # by the present holder
        self.stored = []
        self.lost = []  # rung by a holder that died before storing them
        self.is_closed = False

    def emit(self, kind="text_delta", *, is_last=False):
        seq = self.emitted[-1].seq + 1 if self.emitted else first_seq(self.fence)
        self.emitted.append(EventRow(seq, kind, {"text": f"{seq} "}, is_last))

    def store(self, count):
        unstored = [row for row in self.emitted if row not in self.stored]
        self.stored += unstored[:count]
        self.is_closed = any(row.is_last for row in self.stored)

    def take_over(self):
        self.lost += [row for row in self.emitted if row not in self.stored]
        self.fence, self.emitted = self.fence + 1, []

    def read(self, after, limit):
        last = self.stored[-1].seq if self.stored else 0
        if after and after not in [row.seq for row in self.stored]:
            ahead = not self.is_closed and after > last and fence_of(after) == self.fence
            return Replay(Answer.AHEAD if ahead else Answer.CANNOT_REPLAY, [], False), False
        rows = [row for row in self.stored if row.seq > after][:limit]
        reached = rows[-1].seq if rows else after
        answer = Answer.REPLAYED if rows else Answer.NOTHING_MISSED
        return Replay(answer, rows, self.is_closed and reached >= last), len(rows) == limit


class Client:
    def __init__(self, log):
        self.log = log
        self.got = []
        self.tail = Tail(0)
        self.must_reload = False

    def reconnect(self):
        self.tail = Tail(self.got[-1].seq if self.got else 0)

    def reload(self):
        """The page is loaded anew: what it had is gone, it starts from the first event."""
        self.got, self.tail, self.must_reload = [], Tail(0), False

    def take(self):
        self.got += self.tail.take()

    def read(self, limit):
        if self.tail.is_over or not self.tail.is_behind:
            return
        replay, is_cut = self.log.read(self.tail.seq, limit)
        try:
            self.tail.learn(replay, is_cut=is_cut)
        except CannotReplay:
            self.must_reload = True


steps = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(1, 5)),
        st.tuples(st.just("store"), st.integers(1, 6)),
        st.tuples(st.just("hear"), st.integers(0, 40)),  # any event ever rung: late, early, twice
        st.tuples(st.just("hear_new"), st.integers(1, 3)),  # the usual path
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("reconnect"), st.just(0)),
        st.tuples(st.just("position"), st.just(0)),
        st.tuples(st.just("take_over"), st.just(0)),
    ),
    max_size=80,
)


def perform(log, client, step, number):
    rung = log.lost + log.emitted
    if step == "emit":
        for _ in range(number):
            log.emit()
    elif step == "store":
        log.store(number)
    elif step == "hear" and rung:
        client.tail.hear(rung[number % len(rung)])
    elif step == "hear_new":
        for row in rung[-number:]:
            client.tail.hear(row)
    elif step == "read":
        client.read(number)
    elif step == "take":
        client.take()
    elif step == "reconnect":
        client.reconnect()
    elif step == "position" and log.stored:
        client.tail.hear_position(log.stored[-1].seq, is_closed=log.is_closed)
    elif step == "take_over":
        log.take_over()


@settings(max_examples=600, deadline=None)
@given(steps)
def test_every_event_once_and_in_order_whatever_happens(script):
    log = ModelLog()
    client = Client(log)
    for step, number in script:
        perform(log, client, step, number)
        if client.must_reload:
            client.reload()
        client_seqs = [row.seq for row in client.got]
        assert client_seqs == sorted(set(client_seqs))

    log.emit("message_completed", is_last=True)
    log.store(10_000)
    client.reconnect()
    for _ in range(100):
        client.read(3)
        client.take()
        if client.must_reload:
            client.reload()
    assert client.tail.is_over
    assert client.got == log.stored


@given(st.integers(0, 30), st.integers(1, 30))
def test_reconnecting_at_every_seq_gives_the_rest(after, total):
    log = ModelLog()
    for _ in range(total):
        log.emit()
    log.emit("message_completed", is_last=True)
    log.store(100)
    client = Client(log)
    client.tail = Tail(after)
    for _ in range(20):
        client.read(7)
        client.take()
    assert client.must_reload == (after > total + 1)
    assert [row.seq for row in client.got] == list(range(after + 1, total + 2))


def test_the_usual_path_never_reads_the_log():
    log, client = ModelLog(), None
    client = Client(log)
    client.tail = Tail(0, is_behind=False)
    for _ in range(5):
        log.emit()
        client.tail.hear(log.emitted[-1])
        assert not client.tail.is_behind
    client.take()
    assert client.got == log.emitted


def test_a_client_that_does_not_take_is_bounded_and_reads_later():
    log = ModelLog()
    client = Client(log)
    client.tail = Tail(0, is_behind=False)
    for _ in range(2000):
        log.emit()
        client.tail.hear(log.emitted[-1])
        waiting = len(client.tail._ready) + len(client.tail._ahead)
        assert waiting <= tail_module.READY_ROWS + tail_module.AHEAD_ROWS
    log.emit("message_completed", is_last=True)
    log.store(10_000)
    while not client.tail.is_over:
        client.read(200)
        client.take()
    assert client.got == log.stored


def test_an_invented_position_is_refused_after_a_while():
    log, client = ModelLog(), None
    client = Client(log)
    log.emit()
    log.store(1)
    client.tail = Tail(999)
    for _ in range(tail_module.DOUBTS):
        client.read(10)
        assert not client.must_reload
    client.read(10)
    assert client.must_reload


def test_what_was_heard_live_waits_for_a_log_that_lags_for_long():
    """Postgres restarts or is busy: words are shown that it does not have yet."""
    tail = Tail(0, is_behind=False)
    tail.hear(EventRow(1, "text_delta", {"text": "a"}))
    tail.hear_position(2, is_closed=False)
    assert [row.seq for row in tail.take()] == [1]
    for _ in range(10 * tail_module.DOUBTS):
        assert not tail.learn(Replay(Answer.AHEAD, [], is_closed=False), is_cut=False)
    last = EventRow(2, "text_delta", {"text": "b"}, is_last=True)
    assert tail.learn(Replay(Answer.REPLAYED, [last], is_closed=True), is_cut=False)
    assert tail.take() == [last]
    assert tail.is_over


def test_a_closed_stream_without_news_is_over():
    tail = Tail(0)
    replay = Replay(Answer.NOTHING_MISSED, [], is_closed=True)
    tail.learn(replay, is_cut=False)
    assert tail.is_over
    with pytest.raises(CannotReplay):
        tail.learn(Replay(Answer.CANNOT_REPLAY, [], is_closed=False), is_cut=False)
