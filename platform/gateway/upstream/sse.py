"""The events of a streamed chat completion, from bytes to deltas, without any I/O.

`feed` takes whatever the socket had and returns what it means, adjacent text joined into one
delta: a slow reader pays for one event, not for a hundred. Any split of the bytes gives the same
text (tests cut at every position).
"""

from typing import Any

import orjson

from gateway.errors import ContentFiltered, GatewayError, StreamCut, UpstreamFailed
from gateway.types import Chunk, ReasoningDelta, TextDelta, TokenUsage, ToolCalls
from gateway.upstream.events import EventReader
from gateway.upstream.failures import error_for_payload
from gateway.upstream.payloads import delta_text, token_usage
from gateway.upstream.tool_calls import ToolCallParts
from security.sentences import Sentence

Item = TextDelta | ReasoningDelta | ToolCalls | Chunk


class ChatStream:
    """The events of one streamed chat completion.

    After the last byte `finish_reason` says how it ended; None means that it was cut. An error
    object inside the stream, or an event that makes no sense, is raised as GatewayError by the call
    after the one that returned the words before it. Tool calls come once, after the finish reason
    and whole; a call that was cut, by the connection or by the limit of tokens, never comes.
    """

    __slots__ = (
        "_failure", "_reader", "finish_reason", "has_begun", "is_done", "length", "tools", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self._reader = EventReader()
        self._failure: GatewayError | None = None
        self.finish_reason: str | None = None
        self.is_done = False
        self.has_begun = False  # a word, a thought or a piece of a tool call was there
        self.length = 0  # characters of words and thoughts
        self.usage = TokenUsage()
        self.tools = ToolCallParts()

    def feed(self, chunk: bytes) -> list[Item]:
        self.check()
        return self._items(self._reader.feed(chunk))

    def close(self) -> list[Item]:
        """The rest after the last byte."""
        self.check()
        found = self._items(self._reader.close())
        self.is_done = True
        return found

    def whole(self, payload: dict[str, Any]) -> list[Item]:
        """What `feed` gives, from the one JSON object of a server that does not stream."""
        self.is_done = True
        message = self._note(payload)["message"]
        content, reasoning = delta_text(message)
        if message.get("tool_calls"):
            self.tools.add(message["tool_calls"])
        self.has_begun = True
        self.length = len(content) + len(reasoning)
        found: list[Item] = [ReasoningDelta(reasoning)] if reasoning else []
        return [*found, TextDelta(content)] if content else found

    def ending(self) -> list[Item]:
        """What comes after the last word: the tool calls, unless a limit cut them.

        Raises StreamCut when there was no finish reason, and what else makes the answer none.
        """
        self.check()
        if self.finish_reason is None:
            raise StreamCut
        if self.tools:
            return [] if self.finish_reason == "length" else [self.tools.finished()]
        if not self.length:
            if self.finish_reason == "content_filter":
                raise ContentFiltered
            raise UpstreamFailed(Sentence("empty_answer"))
        return []

    def cut(self) -> list[Item]:
        """End an answer that would not end by itself."""
        self.finish_reason = "length"
        self.is_done = True
        return []

    def check(self) -> None:
        """Raise what went wrong behind the words that were returned last."""
        if self._failure:
            raise self._failure

    def _items(self, events: list[bytes]) -> list[Item]:
        text: list[str] = []
        thought: list[str] = []
        found: list[Item] = []
        for event in events:
            if self.is_done:
                break
            if event[:1] != b"{" and self._is_empty(event):
                continue
            try:
                content, reasoning = self._read(event)
            except GatewayError as error:
                self._failure = error
                break
            if reasoning:
                _flush(text, TextDelta, found)
                thought.append(reasoning)
                self.length += len(reasoning)
            if content:
                if thought:
                    _flush(thought, ReasoningDelta, found)
                text.append(content)
                self.length += len(content)
        _flush(text, TextDelta, found)
        _flush(thought, ReasoningDelta, found)
        if found:
            self.has_begun = True
        else:
            self.check()
        return found

    def _is_empty(self, event: bytes) -> bool:
        """Whether an event has nothing to read; notes the one that ends the stream."""
        bare = event.strip()
        self.is_done = bare == b"[DONE]"
        return self.is_done or not bare

    def _read(self, event: bytes) -> tuple[str, str]:
        """Content and reasoning of one event; notes everything else."""
        try:
            choice = self._note(orjson.loads(event))
            if choice is None:
                return "", ""
            delta = choice.get("delta")
            if not isinstance(delta, dict):
                return "", ""
            if len(delta) == 1 and type(content := delta.get("content")) is str:
                return content, ""  # a word, as nearly all are
            if pieces := delta.get("tool_calls"):
                self.tools.add(pieces)
                self.has_begun = True
            return delta_text(delta)
        except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError) as error:
            raise UpstreamFailed(Sentence("no_completion_event")) from error

    def _note(self, payload: Any) -> Any:
        """The first choice of an event, None without one; keeps its usage and finish reason."""
        if payload.get("error"):
            raise error_for_payload(payload)
        if usage := payload.get("usage"):
            self.usage = token_usage(usage)
        choices = payload.get("choices")
        if not choices:
            return None
        choice = choices[0]
        if reason := choice.get("finish_reason"):
            self.finish_reason = str(reason)
        return choice


def _flush(parts: list[str], kind: type[TextDelta | ReasoningDelta], into: list[Item]) -> None:
    if parts:
        into.append(kind("".join(parts)))
        parts.clear()
