"""Server-sent events of a chat completion, from bytes to deltas, without any I/O.

`feed` takes whatever the socket had and returns what it means, adjacent text joined into one
delta: a slow reader pays for one event, not for a hundred. Any split of the bytes gives the same
text (tests cut at every position). Line ends, comments, BOM and several `data:` lines per event
follow the WHATWG specification; a last event without its blank line still counts, because
several servers close that way.
"""

from typing import Any

import orjson
from django.utils.translation import gettext as _

from gateway.errors import GatewayError, UpstreamFailed, error_for_payload
from gateway.types import ReasoningDelta, TextDelta, TokenUsage

LONGEST_EVENT = 4 * 1024 * 1024  # bytes
BOM = b"\xef\xbb\xbf"
REASONING_FIELDS = ("reasoning_content", "reasoning")

Delta = TextDelta | ReasoningDelta


class EventReader:
    """Bytes to the data of complete events."""

    __slots__ = ("_after_cr", "_data", "_is_first", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._after_cr = False
        self._is_first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._after_cr or b"\r" in chunk:
            chunk = self._normalise(chunk)
        self._rest += chunk
        if b"\n" not in chunk:
            self._refuse_endless()
            return []
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        if self._is_first:
            self._is_first = False
            lines[0] = lines[0].removeprefix(BOM)
        return self._events(lines)

    def close(self) -> list[bytes]:
        """The event that was not followed by a blank line, if it is one."""
        last = bytes(self._rest).removeprefix(BOM) if self._is_first else bytes(self._rest)
        self._rest.clear()
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
        return found

    def _normalise(self, chunk: bytes) -> bytes:
        """CRLF and CR to LF, also when the pair is split between two chunks."""
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk[-1:] == b"\r"
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _refuse_endless(self) -> None:
        if len(self._rest) > LONGEST_EVENT:
            raise UpstreamFailed(_("It sent one event of more than 4 MB."))


class ChatStream:
    """The events of one streamed chat completion.

    After the last byte `finish_reason` says how it ended; None means that it was cut. An error
    object inside the stream, or an event that makes no sense, is raised as GatewayError by the call
    after the one that returned the words before it.
    """

    __slots__ = ("_failure", "_reader", "finish_reason", "is_done", "usage")

    def __init__(self) -> None:
        self._reader = EventReader()
        self._failure: GatewayError | None = None
        self.finish_reason: str | None = None
        self.is_done = False
        self.usage = TokenUsage()

    def feed(self, chunk: bytes) -> list[Delta]:
        self.check()
        return self._deltas(self._reader.feed(chunk))

    def close(self) -> list[Delta]:
        self.check()
        return self._deltas(self._reader.close())

    def check(self) -> None:
        """Raise what went wrong behind the words that were returned last."""
        if self._failure:
            raise self._failure

    def _deltas(self, events: list[bytes]) -> list[Delta]:
        text: list[str] = []
        thought: list[str] = []
        found: list[Delta] = []
        for event in events:
            if self.is_done or event.strip() == b"[DONE]":
                self.is_done = True
                break
            if not event.strip():
                continue
            try:
                content, reasoning = self._read(event)
            except GatewayError as error:
                self._failure = error
                break
            if reasoning:
                _flush(text, TextDelta, found)
                thought.append(reasoning)
            if content:
                _flush(thought, ReasoningDelta, found)
                text.append(content)
        _flush(text, TextDelta, found)
        _flush(thought, ReasoningDelta, found)
        if not found:
            self.check()
        return found

    def _read(self, event: bytes) -> tuple[str, str]:
        """Content and reasoning of one event; notes the finish reason and the usage."""
        try:
            payload = orjson.loads(event)
            if payload.get("error"):
                raise error_for_payload(payload)
            if payload.get("usage"):
                self.usage = token_usage(payload["usage"])
            if not payload.get("choices"):
                return "", ""
            choice = payload["choices"][0]
            if choice.get("finish_reason"):
                self.finish_reason = str(choice["finish_reason"])
            return delta_text(choice.get("delta"))
        except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError) as error:
            raise UpstreamFailed(_("It sent an event that is not a chat completion.")) from error


def delta_text(delta: Any) -> tuple[str, str]:
    """Content and reasoning of a delta or of a whole message."""
    if not isinstance(delta, dict):
        return "", ""
    content = delta.get("content")
    reasoning = next((delta[name] for name in REASONING_FIELDS if delta.get(name)), "")
    return (
        content if isinstance(content, str) else "",
        reasoning if isinstance(reasoning, str) else "",
    )


def token_usage(usage: Any) -> TokenUsage:
    """Counts of an OpenAI usage object; what is missing or odd is None."""
    if not isinstance(usage, dict):
        return TokenUsage()
    prompt = usage.get("prompt_tokens_details")
    completion = usage.get("completion_tokens_details")
    return TokenUsage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(prompt, "cached_tokens"),
        reasoning_tokens=_count(completion, "reasoning_tokens"),
        cache_write_tokens=_count(prompt, "cache_write_tokens"),
        accepted_prediction_tokens=_count(completion, "accepted_prediction_tokens"),
        rejected_prediction_tokens=_count(completion, "rejected_prediction_tokens"),
    )


def _count(counts: Any, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and value >= 0 else None


def _flush(parts: list[str], kind: type[Delta], into: list[Delta]) -> None:
    if parts:
        into.append(kind("".join(parts)))
        parts.clear()
