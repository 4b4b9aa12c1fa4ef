"""An answer that more than one endpoint writes: what has been said, and how the next goes on.

Where a server continues an unfinished message, its words follow as they are. Elsewhere it is asked
to (gateway.upstream.continuation) and the seam takes out what it says again. Thoughts are not
handed on, nor is a tool call that was cut in half: it is asked for again from before the call.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gateway.controls import Capability
from gateway.routing.needs import estimate_tokens
from gateway.routing.seam import Seam
from gateway.types import ChatRequest, Chunk, ReasoningDelta, Route, TextDelta, ToolCalls

Item = TextDelta | ReasoningDelta | ToolCalls | Chunk

FEWEST_TOKENS = 16  # that a continuation may still say
_TEXT = {"type": "text"}


class Answer:
    """What the reader of one request has been given so far."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._parts = [request.continues] if request.continues else []
        self._seam: Seam | None = None
        self._is_second = False
        self._call: list[Chunk] = []  # pieces of a tool call whose end is not there yet
        self._waits_for_calls = request.wants_chunks and bool(request.tools)

    @property
    def text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def length(self) -> int:
        """Characters that were said here; not those the request came with."""
        return len(self.text) - len(self._request.continues)

    @property
    def may_go_on(self) -> bool:
        """Whether another endpoint could add to it: half an object of JSON has no second half."""
        return not _has_form(self._request)

    def begin(self, route: Route, most_tokens: int | None = None) -> ChatRequest:
        """What this route is asked, to go on behind all that has been said; with `most_tokens` a
        request without a limit has this one."""
        self._call = []
        text = self.text
        self._is_second = bool(text)
        is_exact = Capability.PREFIX in route.capabilities
        self._seam = None if is_exact or not text else Seam(text)
        request = self._request
        if self.length:
            request = replace(request, continues=text, max_tokens=self._tokens_left(text))
        if most_tokens is not None and request.max_tokens is None:
            request = replace(request, max_tokens=most_tokens)
        return request

    def take(self, items: Sequence[Item]) -> Iterable[Item]:
        """What of these the reader gets now."""
        if self._seam is None and not self._request.wants_chunks:
            self._parts += [item.text for item in items if type(item) is TextDelta]
            return items
        return self._sewn(items)

    def _sewn(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            if type(item) is TextDelta and self._seam is not None:
                if text := self._seam.feed(item.text):
                    self._parts.append(text)
                    yield TextDelta(text)
            elif type(item) is Chunk:
                yield from self._take_chunk(item)
            else:
                if type(item) is ToolCalls:  # the words before it are all there
                    yield from self._rest()
                yield item

    def end(self) -> Iterator[Item]:
        """What was held back, at the end of a whole answer."""
        yield from self._rest()
        yield from self._flush_call()

    def _rest(self) -> Iterator[Item]:
        """What the seam holds; a reader of chunks gets it as one more chunk."""
        text = self._seam.close() if self._seam is not None else ""
        if text:
            self._parts.append(text)
            yield TextDelta(text) if not self._request.wants_chunks else _text_chunk({}, text)

    def _take_chunk(self, chunk: Chunk) -> Iterator[Chunk]:
        if self._waits_for_calls and (self._call or _has_call(chunk)):
            self._call.append(chunk)
            if _finish_reason(chunk):
                yield from self._flush_call()
            return
        if not self._is_second:
            self._parts.append(chunk.text)
            yield chunk
            return
        text = chunk.text if self._seam is None else self._seam.feed(chunk.text)
        if self._seam is not None and _finish_reason(chunk):
            text += self._seam.close()
        self._parts.append(text)
        if text or (not chunk.text and not _is_greeting(chunk)):
            yield _text_chunk(chunk.payload, text)

    def _flush_call(self) -> Iterator[Chunk]:
        """A call is passed on as a whole: nobody could take back its first half."""
        calls, self._call = self._call, []
        for chunk in calls:
            self._parts.append(chunk.text)
            yield chunk

    def _tokens_left(self, text: str) -> int | None:
        most = self._request.max_tokens
        if most is None:
            return None
        said = estimate_tokens(text) - estimate_tokens(self._request.continues)
        return max(FEWEST_TOKENS, most - said)


def _has_form(request: ChatRequest) -> bool:
    """Whether it has to be whole to be anything; some clients always say that they want one
    answer, and text."""
    controls, extra = request.controls, request.extra
    if controls.choices or controls.json_schema or controls.regex or controls.grammar:
        return True
    is_plain = extra.get("n", 1) == 1 and extra.get("response_format", _TEXT) == _TEXT
    return not is_plain


def _choice(payload: dict[str, Any]) -> dict[str, Any]:
    choices = payload.get("choices")
    return choices[0] if isinstance(choices, list) and choices else {}


def _has_call(chunk: Chunk) -> bool:
    return bool((_choice(chunk.payload).get("delta") or {}).get("tool_calls"))


def _finish_reason(chunk: Chunk) -> Any:
    return _choice(chunk.payload).get("finish_reason")


def _is_greeting(chunk: Chunk) -> bool:
    """The first chunk of a stream, which only names the role."""
    choice = _choice(chunk.payload)
    return not choice.get("finish_reason") and set(choice.get("delta") or ()) >= {"role"}


def _text_chunk(payload: dict[str, Any], text: str) -> Chunk:
    """The chunk with this text, and without the role, which clients would write twice."""
    choice = _choice(payload)
    delta = {name: value for name, value in (choice.get("delta") or {}).items() if name != "role"}
    if text or "content" in delta:
        delta["content"] = text
    if not choice and not text:
        return Chunk(payload)
    choices = [{"index": 0, "finish_reason": None, **choice, "delta": delta}]
    return Chunk({**payload, "choices": choices}, text)
