"""The output of a response as chunks come in: items, and the events that tell of them in order.

Thoughts, words and calls are items of their own. An item is done when the next of another kind
begins; calls are done at the end, since servers may write several at a time.
"""

from collections.abc import Iterator
from typing import Any

from agents.openai.sources import Payload, new_id

Events = Iterator[tuple[str, Payload]]
REASONING_FIELDS = ("reasoning_content", "reasoning")


class Output:
    """Feed it chunks and send on the events it yields; `items` are the output so far."""

    def __init__(self) -> None:
        self.items: list[Payload] = []
        self.usage: Payload | None = None
        self.finish_reason = ""
        self.notice = ""
        self.handed_to = ""
        self._open: Text | None = None
        self._calls: dict[int, Call] = {}

    def feed(self, chunk: Payload) -> Events:
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk["choices"]:
            if choice.get("index", 0) == 0:
                yield from self._feed(choice)
                self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def close(self) -> Events:
        """The ends of all items; the output is whole then."""
        yield from self._close_text()
        for call in self._calls.values():
            yield from call.close()

    @property
    def is_incomplete(self) -> bool:
        return self.finish_reason in {"length", "content_filter"}

    def _feed(self, choice: Payload) -> Events:
        delta = choice.get("delta") or {}
        thought = next((delta[name] for name in REASONING_FIELDS if delta.get(name)), "")
        self.notice = delta.get("notice") or self.notice
        self.handed_to = delta.get("handed_to") or self.handed_to
        if thought:
            yield from self._say(Thought, thought)
        if text := delta.get("content"):
            logprobs = (choice.get("logprobs") or {}).get("content") or []
            yield from self._say(Words, text, logprobs)
        if isinstance(self._open, Words):
            yield from self._open.cite(delta.get("citations") or ())
        for piece in delta.get("tool_calls") or ():
            yield from self._call(piece)

    def _say(self, kind: "type[Text]", text: str, logprobs: Any = ()) -> Events:
        if not isinstance(self._open, kind):
            yield from self._close_text()
            self._open = kind(self.items)
            yield from self._open.open()
        yield from self._open.add(text, logprobs)

    def _call(self, piece: Payload) -> Events:
        yield from self._close_text()
        index = piece.get("index", 0)
        function = piece.get("function") or {}
        if index not in self._calls:
            self._calls[index] = Call(self.items, piece.get("id") or new_id("call_"))
            yield from self._calls[index].open(function.get("name") or "")
        yield from self._calls[index].add(function.get("arguments") or "")

    def _close_text(self) -> Events:
        if self._open is not None:
            yield from self._open.close()
            self._open = None


class Item:
    """One item of the output at its place."""

    def __init__(self, items: list[Payload], **item: Any) -> None:
        self.item: Payload = item | {"status": "in_progress"}
        self.place = {"output_index": len(items)}
        self._pieces: list[str] = []
        items.append(self.item)

    def begun(self) -> Events:
        # A copy: what is told now is what there is now.
        yield "response.output_item.added", self.place | {"item": dict(self.item)}

    def done(self) -> Events:
        self.item["status"] = "completed"
        yield "response.output_item.done", self.place | {"item": self.item}

    @property
    def here(self) -> Payload:
        return self.place | {"item_id": self.item["id"]}


class Text(Item):
    """An item with one part of text."""

    prefix, type, part_type, event = "", "", "", ""

    def __init__(self, items: list[Payload], **more: Any) -> None:
        super().__init__(items, id=new_id(self.prefix), type=self.type, content=[], **more)
        self.here_in_part = self.here | {"content_index": 0}
        self.part: Payload = {"type": self.part_type, "text": ""}

    def open(self) -> Events:
        yield from self.begun()
        yield "response.content_part.added", self.here_in_part | {"part": dict(self.part)}

    def add(self, text: str, logprobs: Any) -> Events:
        self._pieces.append(text)
        yield f"response.{self.event}.delta", self.here_in_part | {"delta": text}

    def close(self) -> Events:
        text = self.part["text"] = "".join(self._pieces)
        self.item["content"] = [self.part]
        yield f"response.{self.event}.done", self.here_in_part | {"text": text} | self.more_at_end
        yield "response.content_part.done", self.here_in_part | {"part": self.part}
        yield from self.done()

    @property
    def more_at_end(self) -> Payload:
        return {}


class Thought(Text):
    prefix, type, part_type, event = "rs_", "reasoning", "reasoning_text", "reasoning_text"

    def __init__(self, items: list[Payload]) -> None:
        super().__init__(items, summary=[])


class Words(Text):
    prefix, type, part_type, event = "msg_", "message", "output_text", "output_text"

    def __init__(self, items: list[Payload]) -> None:
        super().__init__(items, role="assistant")
        self._annotations: list[Payload] = []
        self._logprobs: list[Any] = []
        self.part |= {"annotations": [], "logprobs": []}

    def add(self, text: str, logprobs: Any) -> Events:
        self._logprobs += logprobs
        for name, data in super().add(text, logprobs):
            yield name, data | {"logprobs": logprobs}

    def cite(self, citations: Any) -> Events:
        """Each citation as one of a file: `index` is where its number stands first."""
        text = "".join(self._pieces) if citations else ""
        for cited in citations:
            at = max(0, text.find(f"[{cited['n']}]"))
            annotation = {
                "type": "file_citation",
                "file_id": cited["document_id"],
                "filename": cited["title"],
                "index": at,
            } | cited
            number = {"annotation_index": len(self._annotations), "annotation": annotation}
            self._annotations.append(annotation)
            yield "response.output_text.annotation.added", self.here_in_part | number

    def close(self) -> Events:
        self.part |= {"annotations": self._annotations, "logprobs": self._logprobs}
        yield from super().close()

    @property
    def more_at_end(self) -> Payload:
        return {"logprobs": self._logprobs}


class Call(Item):
    """A function that the model wants to be called."""

    def __init__(self, items: list[Payload], call_id: str) -> None:
        item = {"id": new_id("fc_"), "type": "function_call", "call_id": call_id}
        super().__init__(items, **item, name="", arguments="")

    def open(self, name: str) -> Events:
        self.item["name"] = name
        yield from self.begun()

    def add(self, arguments: str) -> Events:
        if arguments:
            self._pieces.append(arguments)
            told = self.here | {"delta": arguments}
            yield "response.function_call_arguments.delta", told

    def close(self) -> Events:
        arguments = self.item["arguments"] = "".join(self._pieces)
        told = self.here | {"name": self.item["name"], "arguments": arguments}
        yield "response.function_call_arguments.done", told
        yield from self.done()
