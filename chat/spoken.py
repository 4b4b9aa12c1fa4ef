"""What is stored about an answer as codes, in the language of whoever reads it now.

Notices, reasons and failures are kept as `security.sentences` keeps them. Whatever leaves the
server goes through here, so that each reader has them in their own language.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat.models import Message
from events.types import EventRow, Payload
from security.sentences import declare, has_codes, said, said_text

TELLING = frozenset(
    {
        "attachments_read",
        "endpoint_switched",
        "guardrail_acted",
        "message_completed",
        "tool_approval_requested",
        "tool_called",
        "tool_completed",
        "turn_failed",
        "turn_interrupted",
        "turn_stopped",
        "usage_recorded",
    }
)  # events and steps that have sentences

declare(
    {
        "stopped": _("The answer was stopped before its end."),
        "restarted": _("The server was restarted."),
        "broken_off": _("The server stopped in mid-answer."),
        "internal-error": _("Something went wrong here"),
        "internal_error_logged": _(
            "The error was logged. Ask again; if it stays, tell an administrator."
        ),
        "never_answered": _("The export has no answer to this question."),
    }
)


def notice_of(message: Message) -> str:
    """What its reader should know about how it was made."""
    return said_text(message.notice)


def usage_of(answer: Message) -> Payload | None:
    """What its reader may know of the call that made it."""
    return None if answer.usage is None else said(answer.usage)


def error_of(error: Payload | None) -> Payload | None:
    """Why a turn failed: `type` for programs, `title` and `detail` for people."""
    return None if error is None else said(error)


def in_words(kind: str, payload: Payload) -> Payload:
    """The payload of an event, or the data of a step, as it is said now."""
    return said(payload) if kind in TELLING else payload


def has_sentences(row: EventRow) -> bool:
    return row.kind in TELLING and has_codes(row.payload)


def rows_in_words(rows: Sequence[EventRow]) -> list[EventRow]:
    return [row._replace(payload=said(row.payload)) if has_sentences(row) else row for row in rows]


def steps_in_words(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**step, "data": in_words(step["kind"], step["data"])} for step in steps]
