"""How a request is answered, and what was seen of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DEFAULT_TEXT = "Parley answers from the passages it was given [1]."


@dataclass(frozen=True)
class Script:
    """How one request is answered; the defaults are a well-behaved stream."""

    text: str | Callable[[dict[str, Any]], str] = DEFAULT_TEXT
    token_size: int = 4  # characters per delta
    delay: float = 0.0  # seconds between deltas
    first_delay: float = 0.0  # seconds before the first delta (after the response head)
    head_delay: float = 0.0  # seconds before the response head
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | str | None = None  # body when status is not 200; text is sent as is
    # Delta 0 only carries the role, as with OpenAI.
    error_after: int | None = None  # deltas before an error object inside the 200 stream
    cut_after: int | None = None  # deltas before the connection is dropped
    hang_after: int | None = None  # deltas before silence until the client leaves …
    go_on: threading.Event | None = None  # … or until the test lets it go on
    finish_reason: str | None = "stop"
    done: bool = True  # send `data: [DONE]`
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    )
    # Calls after the text, each a name with its arguments: a dict, or JSON as it is to be sent.
    calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    newline: str = "\n"  # "\r\n" or "\r" for the other line ends SSE allows
    write_size: int | None = None  # bytes per socket write, to split inside characters
    bom: bool = False
    comments: bool = False
    padding: int = 0  # extra bytes in one event, for a huge line
    ignores_stream: bool = False  # one JSON object although a stream was asked for
    raw: bytes | None = None  # the whole event stream, verbatim


def calling(*calls: tuple[str, dict[str, Any] | str], text: str = "", **fields: Any) -> Script:
    """A model that calls these tools after these words."""
    return Script(text=text, calls=calls, finish_reason="tool_calls", **fields)


Embed = Callable[[dict[str, Any]], Script]  # by the request's body


@dataclass(frozen=True)
class Captured:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body) if self.body else {}


@dataclass
class Streamed:
    """One streamed answer as it left this server: the oracle of tests that lose connections."""

    body: dict[str, Any]
    script: Script
    events: int = 0  # written, or being written; the first one only carries the role

    @property
    def text(self) -> str:
        whole = answer_text(self.script, self.body)
        return whole[: max(self.events - 1, 0) * self.script.token_size]


def answer_text(script: Script, body: dict[str, Any]) -> str:
    return script.text(body) if callable(script.text) else script.text
