"""What became of a call as a typed error: answers that are errors, and failed connections."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

import aiohttp
import orjson

from gateway.errors import (
    BadCredentials,
    BadRequest,
    ContentFiltered,
    ContextOverflow,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    ModelNotFound,
    RateLimited,
    StreamCut,
    UpstreamFailed,
)
from gateway.overflow import overflow_numbers
from security.outbound.errors import AddressRefused
from security.sentences import Sentence

LONGEST_QUOTE = 300  # characters of an upstream message that are repeated
LONGEST_WAIT = 86_400.0  # seconds that a server may ask for


def error_for_response(status: int, body: bytes, headers: Mapping[str, str]) -> GatewayError:
    """The typed error of a response that is not 200."""
    return error_for_payload(_payload_of(body), status, headers)


def error_for_payload(
    payload: Any, status: int = 0, headers: Mapping[str, str] | None = None
) -> GatewayError:
    """The typed error of an OpenAI-style error object; status 0 means it came inside a stream.

    Codes and words count before the status: servers report a full context as 400, 413 or 500.
    """
    message, words = _message_and_words(payload)
    for needles, kind in _WORDS:
        if any(needle in words for needle in needles):
            return _with_numbers(kind(message), payload)
    if status == 429 or "rate_limit" in words or "insufficient_quota" in words:
        return RateLimited(message, retry_after=_retry_after(headers or {}))
    if 300 <= status < 400:
        target = (headers or {}).get("location", "")
        return UpstreamFailed(Sentence("redirect", target=target[:200]))
    if status in _STATUSES:
        return _STATUSES[status](message)
    if 400 <= status < 500:
        return BadRequest(message)
    return UpstreamFailed(message or (f"HTTP {status}" if status else ""))


def _with_numbers(error: GatewayError, payload: Any) -> GatewayError:
    if isinstance(error, ContextOverflow):
        error.prompt_tokens, error.limit = overflow_numbers(payload, error.detail)
    return error


_WORDS: tuple[tuple[tuple[str, ...], type[GatewayError]], ...] = (
    (
        (
            "context_length",
            "exceed_context",
            "context window",
            "maximum context",
            "prompt is too long",
            "max_new_tokens` must be <=",
        ),
        ContextOverflow,
    ),
    (("content_filter", "content_policy"), ContentFiltered),
    (("invalid_api_key",), BadCredentials),
    (("model_not_found",), ModelNotFound),
)
_STATUSES: dict[int, type[GatewayError]] = {
    401: BadCredentials,
    403: BadCredentials,
    404: ModelNotFound,
    408: EndpointTimeout,
    409: UpstreamFailed,
    425: UpstreamFailed,
}


def error_for_exception(error: BaseException) -> GatewayError:
    """The typed error of a failed connection, whichever library raised it."""
    chain = list(_causes(error))
    if refused := next((cause for cause in chain if isinstance(cause, AddressRefused)), None):
        return EndpointUnreachable(str(refused))
    for causes, kind, detail in _EXCEPTIONS:
        if any(isinstance(cause, causes) for cause in chain):
            return kind(Sentence(detail) if detail else "")
    if any(_is_hung_up_on_hello(cause) for cause in chain):
        return EndpointUnreachable(Sentence("bad_tls"), was_dropped=True)
    if any(isinstance(cause, aiohttp.ClientConnectionError | ConnectionError) for cause in chain):
        return EndpointUnreachable(Sentence("closed"), was_dropped=True)
    return UpstreamFailed(type(error).__name__)


def _is_hung_up_on_hello(error: BaseException) -> bool:
    """A server without TLS reads the first words of it and closes the connection."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionResetError
    )


_EXCEPTIONS: tuple[tuple[tuple[type[BaseException], ...], type[GatewayError], str], ...]
_EXCEPTIONS = (
    (
        (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
        EndpointUnreachable,
        "bad_certificate",
    ),
    (
        (ssl.SSLError,),
        EndpointUnreachable,
        "bad_tls",
    ),
    (
        (socket.gaierror,),
        EndpointUnreachable,
        "unknown_name",
    ),
    (
        (ConnectionRefusedError,),
        EndpointUnreachable,
        "nothing_listens",
    ),
    (
        (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError),
        EndpointUnreachable,
        "invalid_url",
    ),
    ((TimeoutError,), EndpointTimeout, ""),
    ((aiohttp.ClientPayloadError,), StreamCut, ""),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        wrapped = getattr(error, "os_error", None)
        error = (
            wrapped if isinstance(wrapped, BaseException) else error.__cause__ or error.__context__
        )


def _payload_of(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _message_and_words(payload: Any) -> tuple[str, str]:
    """What the server says, cut to a readable length, and all its codes in lower case."""
    if not isinstance(payload, dict):
        return "", ""
    error = payload.get("error", payload.get("detail", payload))
    if isinstance(error, str):
        return error[:LONGEST_QUOTE], error.lower()
    if not isinstance(error, dict):
        return "", ""
    message = str(error.get("message") or "")
    words = f"{error.get('code')} {error.get('type')} {message}".lower()
    return message[:LONGEST_QUOTE], words


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, a day at most; the date form is rare from model servers and counts as not said."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            if isfinite(seconds := float(headers[name]) / unit):
                return min(max(0.0, seconds), LONGEST_WAIT)
    return None
