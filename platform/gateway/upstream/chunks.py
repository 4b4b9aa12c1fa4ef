"""The chunks of a streamed answer as the server sent them, under the same rules as its words.

For callers who speak the protocol themselves: every field stays, log-probabilities and pieces of
tool calls too. Chunks that say nothing yet are held back until one does, so that another endpoint
can still take over unnoticed.
"""

from typing import Any

import orjson

from gateway.errors import ContentFiltered, GatewayError, StreamCut, UpstreamFailed
from gateway.types import Chunk
from gateway.upstream.payloads import delta_text
from gateway.upstream.sse import ChatStream, Item
from security.sentences import Sentence

MOST_HELD = 10_000  # chunks that say nothing


class ChunkStream(ChatStream):
    """`ChatStream` whose items are Chunks. The chunk with a finish reason passes only when the
    tool calls before it are whole; an answer that the server ended without a word is one."""

    __slots__ = ("_ended", "_held", "_seen")

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Item] = []
        self._seen: set[int] = set()  # the numbers of answers, where several were asked for
        self._ended: set[int] = set()

    def whole(self, payload: dict[str, Any]) -> list[Item]:
        for choice in payload["choices"]:
            choice["delta"] = choice.pop("message")
        payload["object"] = "chat.completion.chunk"
        self.is_done = True
        return self._released([self._chunk(payload)])

    def ending(self) -> list[Item]:
        self.check()
        if self.finish_reason is None or self._seen - self._ended:
            raise StreamCut
        if self.finish_reason == "content_filter" and not self.has_begun:
            raise ContentFiltered
        held, self._held = self._held, []
        return held

    def cut(self) -> list[Item]:
        super().cut()
        self._ended |= self._seen
        choice = {"index": 0, "delta": {}, "finish_reason": "length"}
        return [Chunk({"object": "chat.completion.chunk", "choices": [choice]})]

    def _items(self, events: list[bytes]) -> list[Item]:
        found: list[Item] = []
        for event in events:
            if self.is_done:
                break
            if event[:1] != b"{" and self._is_empty(event):
                continue
            try:
                found.append(self._parsed(event))
            except GatewayError as error:
                self._failure = error
                break
        return self._released(found)

    def _parsed(self, event: bytes) -> Chunk:
        try:
            return self._chunk(orjson.loads(event))
        except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError) as error:
            raise UpstreamFailed(Sentence("no_completion_event")) from error

    def _chunk(self, payload: dict[str, Any]) -> Chunk:
        choice = self._note(payload)
        if choice is None:
            return Chunk(payload)
        for one in payload["choices"]:
            (self._ended if one.get("finish_reason") else self._seen).add(one.get("index", 0))
        delta = choice.get("delta")
        content, reasoning = delta_text(delta)
        self.length += len(content) + len(reasoning)
        pieces = delta.get("tool_calls") if isinstance(delta, dict) else None
        if pieces and not choice.get("index"):
            self.tools.add(pieces)
        if content or reasoning or pieces:
            self.has_begun = True
        if self.tools and self.finish_reason not in {None, "length"}:
            self.tools.finished()
        return Chunk(payload, content)

    def _released(self, found: list[Item]) -> list[Item]:
        """What was held back as well, once somebody said something."""
        self._held += found
        if not self.has_begun:
            self.check()
            if len(self._held) > MOST_HELD:
                raise UpstreamFailed(Sentence("empty_answer"))
            return []
        held, self._held = self._held, []
        if not held:
            self.check()
        return held
