"""Chunks put together: the one place where deltas become a whole completion.

Texts are appended, lists with an `index` are merged by it, other lists are continued, objects are
merged, and of anything else the last word counts: fields that Parley does not know come out whole
too. Whatever names or numbers something is said once and never appended.
"""

from typing import Any

from agents.openai.sources import Chunks, Payload

SAID_ONCE = frozenset({"role", "id", "type", "name", "index", "finish_reason", "object"})


class Pieces(list[str]):
    """A text that grows: joined once, at the end."""


class Assembly:
    """One completion as its chunks come in."""

    def __init__(self) -> None:
        self._top: Payload = {}
        self._choices: dict[int, Payload] = {}

    def add(self, chunk: Payload) -> None:
        self._top |= {name: value for name, value in chunk.items() if name != "choices"}
        for choice in chunk["choices"]:
            merge(self._choices.setdefault(choice.get("index", 0), {}), choice)

    def whole(self) -> Payload:
        """The completion; call it once."""
        choices = [_whole_choice(n, choice) for n, choice in sorted(self._choices.items())]
        usage = self._top.pop("usage", None)
        head = self._top | {"object": "chat.completion", "choices": choices}
        return head | {"usage": usage}


async def assemble(chunks: Chunks) -> Payload:
    assembly = Assembly()
    async for chunk in chunks:
        assembly.add(chunk)
    return assembly.whole()


def merge(into: Payload, delta: Payload) -> None:
    """Add what a delta says to what was said before."""
    for name, value in delta.items():
        before = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif name in SAID_ONCE:
            into[name] = before if value == "" else value
        elif isinstance(value, str):
            if isinstance(before, Pieces):
                before.append(value)
            else:
                into[name] = Pieces([value])
        elif isinstance(value, dict):
            if not isinstance(before, dict):
                into[name] = before = {}
            merge(before, value)
        elif isinstance(value, list):
            if not isinstance(before, list):
                into[name] = before = []
            _extend(before, value)
        else:
            into[name] = value


def _extend(into: list[Any], more: list[Any]) -> None:
    known = {one["index"]: one for one in into if isinstance(one, dict) and "index" in one}
    for one in more:
        if not isinstance(one, dict) or "index" not in one:
            into.append(one)
            continue
        if one["index"] not in known:
            known[one["index"]] = {}
            into.append(known[one["index"]])
        merge(known[one["index"]], one)


def joined(value: Any) -> Any:
    """The same with every text in one piece."""
    match value:
        case Pieces():
            return "".join(value)
        case dict():
            return {name: joined(one) for name, one in value.items()}
        case list():
            return [joined(one) for one in value]
    return value


def _whole_choice(index: int, choice: Payload) -> Payload:
    message: Payload = {"role": "assistant", "content": None, "refusal": None}
    message |= joined(choice.pop("delta", {}))
    for call in message.get("tool_calls") or ():
        call.pop("index", None)
    if message["content"] is None and not message.get("tool_calls"):
        message["content"] = ""
    rest = {"logprobs": None, "finish_reason": None} | joined(choice)
    return {**rest, "index": index, "message": message}
