"""Where one client stands in a stream: a pure state machine, no I/O.

Live events may come twice, out of order, or not at all; the log may lag behind them by a batch.
Whatever happens, every event is handed out exactly once and in order.
"""

from events.log import Answer, Replay
from events.types import CannotReplay, EventRow

READY_ROWS = 256  # more than that waiting for a slow client is dropped and read again from the log
READY_CHARACTERS = 64_000
AHEAD_ROWS = 256
DOUBTS = 8  # reads that may pass before a position unknown to the log counts as invented


class Tail:
    def __init__(self, after: int, *, is_behind: bool = True) -> None:
        self.seq = after  # everything up to here was handed out or is ready to be
        self.is_behind = is_behind  # the log must be read before anything else is handed out
        self.is_over = False
        self._handed = after
        self._heard = 0
        self._ready: list[EventRow] = []
        self._ready_characters = 0
        self._ahead: dict[int, EventRow] = {}
        self._ahead_characters = 0
        self._doubts = 0

    @property
    def has_ready(self) -> bool:
        return bool(self._ready)

    def hear(self, row: EventRow) -> None:
        """A live event came in."""
        if row.seq <= self.seq:
            return
        self._heard = max(self._heard, row.seq)
        if not self.is_behind and row.seq == self.seq + 1:
            self._accept(row)
            if len(self._ready) > READY_ROWS or self._ready_characters > READY_CHARACTERS:
                self._forget_what_is_ready()
            return
        self.is_behind = True
        self._ahead_characters += _size(row)
        if len(self._ahead) >= AHEAD_ROWS or self._ahead_characters > READY_CHARACTERS:
            self._ahead.clear()  # the log has them, or will
            self._ahead_characters = _size(row)
        self._ahead[row.seq] = row

    def hear_position(self, seq: int, *, is_closed: bool) -> None:
        """Somebody says how far the stream is, without its events."""
        self._heard = max(self._heard, seq)
        if seq > self.seq:
            self.is_behind = True
        elif is_closed and seq == self.seq:
            self.is_over = True

    def learn(self, replay: Replay, *, is_cut: bool) -> bool:
        """Take in what the log said about events after `seq`; whether that led any further.

        `is_cut` says that the log has more. Raises CannotReplay.
        """
        before = self.seq
        if replay.answer is Answer.CANNOT_REPLAY:
            raise CannotReplay
        for row in replay.rows:
            if row.seq > self.seq:
                self._accept(row)
        self._use_what_was_ahead()
        if replay.answer is Answer.AHEAD and self.seq == before:
            self._doubts += self._heard < self.seq  # what was heard live is no invention
            if self._doubts > DOUBTS:
                raise CannotReplay
            return False
        self._doubts = 0
        self.is_over = self.is_over or replay.is_closed
        self.is_behind = is_cut or self._heard > self.seq
        return self.seq > before

    def take(self) -> list[EventRow]:
        """What can be handed out now."""
        rows, self._ready = self._ready, []
        self._ready_characters = 0
        if rows:
            self._handed = rows[-1].seq
        return rows

    def _accept(self, row: EventRow) -> None:
        self._ready.append(row)
        self.seq = row.seq
        self.is_over = row.is_last
        self._ready_characters += _size(row)

    def _forget_what_is_ready(self) -> None:
        self._ready = []
        self._ready_characters = 0
        self.seq = self._handed
        self.is_behind, self.is_over = True, False

    def _use_what_was_ahead(self) -> None:
        while self._ahead and (row := self._ahead.pop(self.seq + 1, None)):
            self._accept(row)
        if self._ahead:
            self._ahead = {seq: row for seq, row in self._ahead.items() if seq > self.seq}
        self._ahead_characters = sum(map(_size, self._ahead.values()))


def _size(row: EventRow) -> int:
    return len(row.payload.get("text", ""))
