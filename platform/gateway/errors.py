"""Everything that can go wrong between Parley and a model.

    GatewayError
    ├── EndpointUnreachable     no connection: name, refused, TLS, reset
    ├── EndpointTimeout         connected, but silent for too long
    ├── RateLimited             429; `retry_after` seconds if the server said so
    ├── BadCredentials          401, 403
    ├── ModelNotFound           the server does not have this model
    ├── StreamCut               the answer ended without a finish reason
    ├── UpstreamFailed          5xx, an error inside the stream, or an answer that makes no sense
    ├── BadRequest              the server refuses what we sent
    │   ├── ContextOverflow     the prompt is longer than the model's context
    │   └── UnsupportedControl  the server cannot do what the request demands; said before asking
    ├── InvalidAnswer           the answer has not the demanded form, also when asked once more
    ├── ContentFiltered         the server's filter refused the answer
    ├── EndpointBusy            none of its parallel requests came free in time; it was not asked
    └── NoEndpointAllowed       none has the labels or abilities that are demanded; none was asked

`type` is stable and goes into events, usage rows and API problems. `is_transient`: worth one more
try on the same endpoint. `may_switch`: another deployment may answer instead. `is_outage`: the
endpoint is at fault, so the offline answerer stands in when no deployment is left.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any, ClassVar

import aiohttp
import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateway.overflow import overflow_numbers
from security.outbound.errors import AddressRefused
from security.text import storable

INVALID_URL = _("Its address is not a valid URL.")
LONGEST_QUOTE = 300  # characters of an upstream message that are repeated
LONGEST_WAIT = 86_400.0  # seconds that a server may ask for


class GatewayError(Exception):
    """A model could not answer; the text says why and what helps."""

    type: ClassVar[str] = "gateway_error"
    title: ClassVar[str | Promise] = _("The model could not answer.")
    is_transient: bool = False
    may_switch: ClassVar[bool] = True
    is_outage: ClassVar[bool] = True

    def __init__(self, detail: str = "") -> None:
        self.detail = storable(detail)
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.title} {self.detail}".strip()


class EndpointUnreachable(GatewayError):
    type = "endpoint_unreachable"
    title = _("The model's server cannot be reached.")

    def __init__(self, detail: str = "", *, was_dropped: bool = False) -> None:
        super().__init__(detail)
        # A kept connection that the server closed meanwhile; a new one usually works.
        self.is_transient = was_dropped


class EndpointTimeout(GatewayError):
    type = "endpoint_timeout"
    title = _("The model's server did not answer in time.")


class RateLimited(GatewayError):
    type = "rate_limited"
    title = _("The model's server asks for a pause.")
    is_transient = True

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class BadCredentials(GatewayError):
    type = "bad_credentials"
    title = _("The model's server refuses the API key.")


class ModelNotFound(GatewayError):
    type = "model_not_found"
    title = _("The server does not offer this model at this address.")


class StreamCut(GatewayError):
    type = "stream_cut"
    title = _("The model's answer was cut off.")
    is_transient = True


class UpstreamFailed(GatewayError):
    type = "upstream_failed"
    title = _("The model's server failed.")
    is_transient = True


class BadRequest(GatewayError):
    type = "bad_request"
    title = _("The model's server refuses the request.")
    may_switch = False
    is_outage = False


class ContextOverflow(BadRequest):
    type = "context_overflow"
    title = _("The conversation and its passages are longer than the model can read.")
    may_switch = True  # another deployment may read more
    prompt_tokens: int | None = None  # what was sent and what fits, where the server says it
    limit: int | None = None


class UnsupportedControl(BadRequest):
    """`control` is the name of the field that cannot be served, the detail says why."""

    type = "unsupported_control"
    title = _("The model's server cannot do what the request demands.")
    may_switch = True  # another deployment may be able to

    def __init__(self, detail: str = "", *, control: str = "") -> None:
        super().__init__(detail)
        self.control = control


class InvalidAnswer(GatewayError):
    type = "invalid_answer"
    title = _("The model's answer does not have the demanded form.")
    is_outage = False


class ContentFiltered(GatewayError):
    type = "content_filtered"
    title = _("The model's server filtered the answer.")
    may_switch = False
    is_outage = False


class EndpointBusy(GatewayError):
    type = "endpoint_busy"
    title = _("The model is busy.")


class NoEndpointAllowed(GatewayError):
    """`labels` are those that were demanded, if it was for them."""

    type = "no_endpoint_allowed"
    title = _("No endpoint may answer this.")
    may_switch = False
    is_outage = False

    def __init__(self, detail: str = "", *, labels: frozenset[str] = frozenset()) -> None:
        super().__init__(detail)
        self.labels = labels


# -- Answers that are errors ----------------------------------------------------------------------


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
        return UpstreamFailed(str(_("It redirects to {target}.")).format(target=target[:200]))
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
            return kind(str(detail))
    if any(isinstance(cause, aiohttp.ClientConnectionError | ConnectionError) for cause in chain):
        return EndpointUnreachable(str(_("The connection was closed.")), was_dropped=True)
    return UpstreamFailed(type(error).__name__)


_EXCEPTIONS: tuple[tuple[tuple[type[BaseException], ...], type[GatewayError], str | Promise], ...]
_EXCEPTIONS = (
    (
        (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError),
        EndpointUnreachable,
        _("Its TLS certificate is not accepted."),
    ),
    (
        (ssl.SSLError,),
        EndpointUnreachable,
        _("TLS fails; perhaps the address begins with http:// instead of https://."),
    ),
    (
        (socket.gaierror,),
        EndpointUnreachable,
        _("Its name is unknown; check the address for typos."),
    ),
    (
        (ConnectionRefusedError,),
        EndpointUnreachable,
        _("Nothing listens there; is the server running?"),
    ),
    (
        (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError),
        EndpointUnreachable,
        INVALID_URL,
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
