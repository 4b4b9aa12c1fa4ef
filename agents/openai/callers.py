"""Who calls `/v1`, and with what: a bearer token and a JSON body. Cookies count for nothing here.

What touches the database runs in the request's thread and gives its connection back at once, so
none is held while an answer streams.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import orjson
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.budgets.keeper import BUDGETS
from accounts.callers import BearerToken, caller
from accounts.limits import spend_for
from accounts.models import User
from accounts.tokens import Scope
from agents.openai import errors
from agents.openai.errors import CHALLENGE, ApiError
from agents.reuse.programs import CacheUse
from gateway.types import Payer, Purpose
from security.rate_limits import Action

P = ParamSpec("P")
T = TypeVar("T")
Response = TypeVar("Response", bound=HttpResponseBase)
Body = dict[str, Any]
CACHE_HEADER = "X-Parley-Cache"  # of a request: "use" or "no"; of a response: "hit" or "miss"
WITHOUT_KEY = (
    "You didn't provide an API key. Send it as `Authorization: Bearer <token>`; make a token in "
    "Settings, or by `python manage.py token EMAIL`."
)
WRONG_KEY = "Incorrect API key provided. Make a token of your own in Settings."


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in; `language` is what agents speak when they speak for themselves,
    `cache` what it wishes of answers that were given before, and what became of that."""

    user: User
    token_id: UUID
    body: Body
    language: str = "en"
    team_ids: tuple[UUID, ...] = ()
    cache: CacheUse = field(default_factory=CacheUse)

    def told(self, response: Response) -> Response:
        """The response, which says whether its answer is a reused one."""
        if self.cache.outcome:
            response[CACHE_HEADER] = self.cache.outcome
        return response

    def payer(self, purpose: Purpose = "api") -> Payer:
        return Payer(self.user.pk, None, self.token_id, self.team_ids, purpose, BUDGETS)


Handler = Callable[Concatenate[HttpRequest, P], Awaitable[HttpResponseBase]]
View = Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]


def endpoint(*methods: str) -> Callable[[Handler[P]], View[P]]:
    """A view of `/v1`: no CSRF, since no cookie counts; every error in OpenAI's shape.

    OPTIONS tells the methods. Nothing else: other sites' scripts get no CORS headers.
    """
    allow = {"Allow": ", ".join((*methods, "OPTIONS"))}

    def decorate(handler: Handler[P]) -> View[P]:
        @csrf_exempt
        @wraps(handler)
        async def view(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return HttpResponse(status=204, headers=allow)
            try:
                if request.method not in methods:
                    return _wrong_method(request, allow).to_response()
                return await handler(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the boundary: each becomes an answer
                return errors.answer(request, error)

        return view

    return decorate


def _wrong_method(request: HttpRequest, allow: Mapping[str, str]) -> ApiError:
    message = f"Not allowed to {request.method} on {request.path}."
    return ApiError(405, message, code="method_not_supported", headers=allow)


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what asks the database in the request's thread, without keeping a connection there."""

    def run() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            _give_back()

    return await sync_to_async(run)()


def _give_back() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # as in a test, which rolls back what it did
            connection.close()


async def admit(request: HttpRequest, action: Action | None, *scopes: Scope) -> Call:
    """Let the caller in, count the request and read its body; raises ApiError and its like."""
    return await in_thread(_admit, request, action, scopes)


def _admit(request: HttpRequest, action: Action | None, scopes: tuple[Scope, ...]) -> Call:
    call = let_in(request, action, scopes)
    return replace(call, body=_body(request)) if request.method == "POST" else call


def let_in(request: HttpRequest, action: Action | None, scopes: tuple[Scope, ...]) -> Call:
    """The caller, whose request is counted; its body is not read. Raises ApiError and its like."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise ApiError(401, WITHOUT_KEY, headers=CHALLENGE)
    found = BearerToken(*scopes).authenticate(request, token.strip())
    if found is None:
        raise ApiError(401, WRONG_KEY, code="invalid_api_key", headers=CHALLENGE)
    request.auth = found  # type: ignore[attr-defined]  # whose bucket it is, as with ninja
    if action is not None:
        spend_for(request, action)
    language = getattr(request, "LANGUAGE_CODE", "en")
    teams = tuple(getattr(found, "team_ids", ()))
    use = CacheUse(request.headers.get(CACHE_HEADER, "").strip().lower())
    return Call(caller(request), found.pk, {}, language, teams, use)


def _body(request: HttpRequest) -> Body:
    limit = settings.PARLEY_MAX_V1_MB * 2**20
    data = request.read(limit + 1)
    if len(data) > limit:
        message = f"The body is larger than {settings.PARLEY_MAX_V1_MB} MB."
        raise ApiError(413, message, code="request_too_large")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        message = "We could not parse the JSON body of your request."
        raise errors.invalid(message) from error
    if not isinstance(body, dict):
        raise errors.invalid("The body must be a JSON object.")
    return body
