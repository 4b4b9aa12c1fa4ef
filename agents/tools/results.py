"""What a model reads of a call: a result between fences, cut by rule, or why there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.authority.markers import marked
from agents.tools.types import RESULT_CHARS, Effect, Tool, ToolOutput
from agents.types import PackedPassage, ToolStatus
from gateway.fencing import data_block, defused, new_fence

MARK = re.compile(r"\[(\d{1,3})\]")
BEGINNING = 600  # characters of a result that go into events and cards


@dataclass(frozen=True, slots=True)
class Result:
    """How a call ended. `output` is whole; `text` says why there is none."""

    status: ToolStatus
    output: ToolOutput | None = None
    text: str = ""

    @property
    def whole(self) -> str:
        return self.output.text if self.output else self.text

    @property
    def beginning(self) -> str:
        whole = self.whole
        return whole if len(whole) <= BEGINNING else f"{whole[:BEGINNING]}…"

    @property
    def passages(self) -> tuple[PackedPassage, ...]:
        return self.output.passages if self.output else ()


def fitting(output: ToolOutput, most: int) -> ToolOutput:
    """As many passages as fit into `most` characters; the first always."""
    kept: list[PackedPassage] = []
    room = most
    for passage in output.passages:
        room -= len(passage.text)
        if kept and room < 0:
            break
        kept.append(passage)
    return replace(output, passages=tuple(kept))


ANSWER = "answer"  # the kind of data of a text whose marks mean its own passages


def numbered(output: ToolOutput, passages: Sequence[PackedPassage]) -> ToolOutput:
    """With its passages under these numbers, also where its own text cites them."""
    text = output.text
    if output.data.get("kind") == ANSWER:
        numbers = dict(zip((one.n for one in output.passages), passages, strict=True))
        text = MARK.sub(
            lambda mark: f"[{numbers[int(mark[1])].n}]" if int(mark[1]) in numbers else "", text
        )
    return replace(output, text=text, passages=tuple(passages))


def told(tool: Tool | None, result: Result) -> str:
    """The content of the message that answers a call. What a tool says that only computes is its
    own word, unless nobody answers for it; whatever else comes in is quoted."""
    if result.output is None:
        return f"{_SAID[result.status]} {result.text}".strip()
    text = cut(result.output.text, tool.result_chars if tool else RESULT_CHARS)
    is_own = tool is not None and tool.effect is Effect.NONE and not result.output.taints
    if is_own and not result.passages:
        return text
    fence = new_fence()
    blocks = [_quoted(text, fence)] if text.strip() else []
    blocks += [_passage(passage, fence) for passage in result.passages]
    return "\n\n".join(filter(None, [_SAID[result.status], *blocks])) or "It has no result."


def cut(text: str, most: int) -> str:
    """The beginning, and that there is more."""
    if len(text) <= most:
        return text
    left = len(text) - most
    return f"{text[:most]}\n… {left} more characters were cut off; ask for less to see them."


def _quoted(text: str, fence: str) -> str:
    """A block without a number: nothing in it can be cited."""
    return f"<data-{fence}>\n{defused(text, fence)}\n</data-{fence}>"


def _passage(passage: PackedPassage, fence: str) -> str:
    return data_block(passage.n, marked(passage, passage.told_text), fence, passage.told_label)


_SAID: dict[ToolStatus, str] = {
    "done": "",
    "refused": "The call was refused:",
    "failed": "The tool failed:",
    "late": "The tool was stopped:",
    "denied": "The call is not allowed:",
    "stopped": "The call was cut off:",
}
