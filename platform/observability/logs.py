"""Structured logs: one JSON object a line, or readable lines when a person is watching.

Everything goes through the standard library, so Django's and the libraries' own loggers come out
the same. Prompt, answer and document text is never a log field.
"""

import logging.config
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from observability.outages import is_outage

QUIET = ("daphne", "twisted", "asyncio", "httpx", "httpx2", "mcp", "pypdf", "fontTools")


def configure(options: dict[str, Any]) -> None:
    """Django's `LOGGING_CONFIG`: `options` is `settings.LOGGING`, of which only `level` is read."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_process,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "parley": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *(_pretty() if is_watched() else _json()),
                    ],
                }
            },
            "filters": {"crashes": {"()": CrashesOnly}},
            "handlers": {"stdout": {"()": StdoutHandler, "formatter": "parley"}},
            "root": {"handlers": ["stdout"], "level": options.get("level", "INFO")},
            "loggers": {
                **{name: {"level": "WARNING"} for name in QUIET},
                "django.request": {"filters": ["crashes"]},
                "django.server": {"level": "WARNING"},
            },
        }
    )


class CrashesOnly(logging.Filter):
    """Of Django's request log only what has a traceback: the request line tells the rest.

    An outage is told in one line by who answers it, not by a traceback a request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info) and not is_outage((record.exc_info or (None, None))[1])


class StdoutHandler(logging.StreamHandler[Any]):
    """Writes to whatever `sys.stdout` is at that moment, so captured output stays captured."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    @property
    def stream(self) -> Any:
        return sys.stderr if _is_command_with_output() else sys.stdout

    @stream.setter
    def stream(self, value: Any) -> None:
        pass  # always the current one


def is_watched() -> bool:
    """Whether a person reads the log: `up` says so for its children, else the terminal does."""
    chosen = os.environ.get("PARLEY_LOG_FORMAT", "")
    return chosen == "pretty" if chosen else sys.stdout.isatty()


def _is_command_with_output() -> bool:
    """Commands that print their result on stdout (`token`, `ask`) log to stderr."""
    return len(sys.argv) > 1 and sys.argv[1] not in {"up", "serve", "runner", "worker", "clock"}


def _add_process(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Which of Parley's processes is speaking."""
    name = os.environ.get("PARLEY_PROCESS")
    if name and not is_watched():
        event["process"] = name
    return event


SHARED_LINK = re.compile(r"/s/[A-Za-z0-9_-]{16,}")


def _without_links(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Whoever reads the log must not read what is shared by link: its address is all it takes."""
    for name, value in event.items():
        if isinstance(value, int | float | None):
            continue
        text = value if isinstance(value, str) else repr(value)  # of a request, its path
        if "/s/" in text:
            event[name] = SHARED_LINK.sub("/s/…", text)
    return event


def _json() -> list[structlog.types.Processor]:
    return [
        structlog.processors.format_exc_info,
        _without_links,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _pretty() -> list[structlog.types.Processor]:
    return [structlog.processors.format_exc_info, _without_links, _readable]


COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
DIM, PLAIN = "\x1b[2m", "\x1b[0m"
NOT_SHOWN = {"event", "level", "timestamp", "logger", "exception", "request_id", "process"}


def _readable(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """`12:30:05 what happened  name=value`: for eyes; machines get JSON."""
    colour = COLOURS.get(str(event.get("level")), "")
    time = str(event.get("timestamp", ""))[11:19]
    fields = " ".join(f"{name}={event[name]}" for name in event if name not in NOT_SHOWN)
    line = f"{DIM}{time}{PLAIN} {colour}{event.get('event', '')}{PLAIN if colour else ''}"
    if fields:
        line += f"  {DIM}{fields}{PLAIN}"
    return "\n".join(filter(None, (line, str(event.get("exception", "")))))
