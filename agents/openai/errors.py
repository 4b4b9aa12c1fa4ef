"""What went wrong, in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

Their client tells errors apart by the status alone and repeats 408, 409, 429 and 5xx by itself, so
each status here is the one that OpenAI gives.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.core.exceptions import BadRequest as UnreadableBody
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import translation

from accounts.errors import MissingScope
from gateway import errors as gateway
from gateway.embedding.embedder import EmbedderUnavailable
from observability.outages import is_outage
from security.rate_limits import LimitReached
from security.sentences import said, stored

INVALID = "invalid_request_error"
SERVER = "server_error"
COME_BACK = {"Retry-After": "5"}
CHALLENGE = {"WWW-Authenticate": "Bearer"}

log = logging.getLogger("parley.api")


@dataclass(eq=False)
class ApiError(Exception):
    """An answer that is an error; raised anywhere below a view of `/v1`."""

    status: int
    message: str
    type: str = INVALID
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    @property
    def body(self) -> dict[str, Any]:
        told = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": told}

    def to_response(self) -> HttpResponse:
        return HttpResponse(
            orjson.dumps(self.body),
            status=self.status,
            content_type="application/json",
            headers=dict(self.headers),
        )


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(400, message, param=param, code=code)


def unsupported(param: str, reason: str) -> ApiError:
    """A field that cannot be honoured here: it is refused, never dropped."""
    return invalid(f"Unsupported parameter: '{param}'. {reason}", param, "unsupported_parameter")


def no_such_model(name: str) -> ApiError:
    """The same for what does not exist and for what is somebody else's."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found")


def not_served(name: str) -> ApiError:
    message = f"No endpoint serves the model `{name}` at the moment. Try again later."
    return ApiError(503, message, SERVER, code="model_unavailable", headers=COME_BACK)


def held_back(why: str) -> ApiError:
    """A guardrail of the installation keeps the question from every model."""
    return invalid(why, "messages", "content_filter")


def of_gateway(error: gateway.GatewayError) -> ApiError:
    """What became of the call upstream; the endpoint's own words, if it said any."""
    with translation.override("en"):
        whole = str(said(stored(error.said)))
    usual = (400, "invalid_value") if isinstance(error, gateway.BadRequest) else (502, error.type)
    status, code = _OF_GATEWAY.get(error.type, usual)
    if status == 400:
        param = "messages" if isinstance(error, gateway.ContextOverflow) else None
        return invalid(error.detail or whole, param, code)
    headers = COME_BACK if status == 503 else {}
    if isinstance(error, gateway.BudgetExhausted):
        return _of_budget(error, whole)
    if status == 429:
        pause = getattr(error, "retry_after", None)
        headers = {"Retry-After": str(max(1, math.ceil(1.0 if pause is None else pause)))}
    return ApiError(status, whole, "requests" if status == 429 else SERVER, None, code, headers)


def _of_budget(error: gateway.BudgetExhausted, whole: str) -> ApiError:
    """As OpenAI says that a quota is used up; their client tries again by itself only where calls
    under way are in the way."""
    headers = {} if error.is_held else {"x-should-retry": "false"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return ApiError(429, whole, "insufficient_quota", None, "insufficient_quota", headers)


# By the stable type of the error. The keys and names at an endpoint are the administrator's affair,
# not the caller's: what is wrong with them is no 401 and no 404 here.
_OF_GATEWAY = {
    "context_overflow": (400, "context_length_exceeded"),
    "unsupported_control": (400, "unsupported_parameter"),
    "content_filtered": (400, "content_filter"),
    "label_unmet": (403, "endpoint_not_allowed"),
    "no_endpoint_allowed": (403, "endpoint_not_allowed"),
    "rate_limited": (429, "rate_limit_exceeded"),
    "endpoint_busy": (503, "endpoint_busy"),
    "bad_credentials": (502, "endpoint_refused_key"),
    "model_not_found": (502, "endpoint_lacks_model"),
    "endpoint_unreachable": (503, "endpoint_unreachable"),
    "endpoint_timeout": (504, "endpoint_timeout"),
}


def describe(error: Exception) -> ApiError:
    """The answer for any error; what is not known here is told as 500 and nothing of it."""
    found = next((tell for kind, tell in _TOLD if isinstance(error, kind)), None)
    if found is not None:
        return found(error)
    if is_outage(error):
        message = "Parley is waiting for its database. Try again in a few seconds."
        return ApiError(503, message, SERVER, code="unavailable", headers=COME_BACK)
    message = "Something went wrong here. The error is logged under this response's X-Request-ID."
    return ApiError(500, message, SERVER)


def _of_embedder(error: EmbedderUnavailable) -> ApiError:
    return ApiError(503, str(error), SERVER, code="model_unavailable", headers=COME_BACK)


def _of_scope(error: MissingScope) -> ApiError:
    message = f"This token lacks the scope for it: {' or '.join(error.needed)}."
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(error.needed)}"'
    headers = {"WWW-Authenticate": challenge}
    return ApiError(403, message, code="missing_scope", headers=headers)


def _of_limit(error: LimitReached) -> ApiError:
    message = f"Rate limit reached. Please try again in {error.seconds}s."
    headers = {"Retry-After": str(error.seconds)}
    return ApiError(429, message, "requests", None, "rate_limit_exceeded", headers)


def _of_body(_error: Exception) -> ApiError:
    return invalid("The request could not be read.")


_TOLD: tuple[tuple[type[Exception], Callable[[Any], ApiError]], ...] = (
    (ApiError, lambda error: error),
    (gateway.GatewayError, of_gateway),
    (EmbedderUnavailable, _of_embedder),
    (MissingScope, _of_scope),
    (LimitReached, _of_limit),
    (UnreadableBody, _of_body),
    (SuspiciousOperation, _of_body),
    (UnreadablePostError, _of_body),
)


def told(error: Exception, place: str) -> ApiError:
    """`describe`, with a line in the log for what is our own fault."""
    described = describe(error)
    if described.status == 500:
        log.error("%s failed", place, exc_info=error)
    return described


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    return told(error, f"{request.method} {request.path}").to_response()
