"""Server-sent events, from bytes to the data of each event, without any I/O.

Line ends, comments, BOM and several `data:` lines per event follow the WHATWG specification; a last
event without its blank line still counts, because several servers close that way.
"""

from gateway.errors import UpstreamFailed
from security.sentences import Sentence

LONGEST_EVENT = 4 * 1024 * 1024  # bytes
LINE_BYTES = 64  # of memory that a line of an event costs beside its own
BOM = b"\xef\xbb\xbf"


class EventReader:
    """Bytes to the data of complete events."""

    __slots__ = ("_after_cr", "_data", "_is_first", "_rest", "_size")

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # of a line whose end is not there yet
        self._size = 0
        self._data: list[bytes] = []
        self._after_cr = False
        self._is_first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._after_cr or b"\r" in chunk:
            chunk = self._normalise(chunk)
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        *lines, rest = self._with_rest(chunk).split(b"\n")
        if rest:
            self._keep(rest)
        if self._is_first:
            self._is_first = False
            lines[0] = lines[0].removeprefix(BOM)
        return self._events(lines)

    def close(self) -> list[bytes]:
        """The event that was not followed by a blank line, if it is one."""
        last = self._with_rest(b"")
        if self._is_first:
            last = last.removeprefix(BOM)
        return self._events([last, b""])

    def _events(self, lines: list[bytes]) -> list[bytes]:
        found = []
        data = self._data
        for line in lines:
            if line[:5] == b"data:":
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and data:
                found.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
        if data:
            _bound(sum(map(len, data)) + LINE_BYTES * len(data))
        return found

    def _normalise(self, chunk: bytes) -> bytes:
        """CRLF and CR to LF, also when the pair is split between two chunks."""
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk[-1:] == b"\r"
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, piece: bytes) -> None:
        self._rest.append(piece)
        self._size += len(piece)
        _bound(self._size)

    def _with_rest(self, chunk: bytes) -> bytes:
        if not self._rest:
            return chunk
        whole = b"".join((*self._rest, chunk))
        self._rest.clear()
        self._size = 0
        return whole


def _bound(size: int) -> None:
    if size > LONGEST_EVENT:
        raise UpstreamFailed(Sentence("event_too_large"))
