"""One id, one log line and one measurement for every request."""

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from observability.metrics import http_in_flight, http_requests, http_seconds

log = logging.getLogger("parley.request")
HEADER = "X-Request-ID"
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SILENT = frozenset({"/health", "/ready", "/metrics"})
Response = TypeVar("Response", bound=HttpResponseBase)


class RequestIdMiddleware:
    """Gives each request an id (the proxy's, if it sent a sane one) that its log lines carry.

    The log line holds the path without its query: a search is the user's own business.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._answer_async(request) if self.is_async else self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        with RequestRecord(request) as record:
            return record.finish(self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with RequestRecord(request) as record:
            response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
            return record.finish(response)


class RequestRecord:
    """Between arrival and response: binds the id, then counts and logs."""

    def __init__(self, request: HttpRequest) -> None:
        given = request.headers.get(HEADER, "")
        self.id = given if ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        self.request = request
        self.started = time.perf_counter()

    def __enter__(self) -> Self:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=self.id)
        self.request.id = self.id  # type: ignore[attr-defined]
        http_in_flight.inc()
        return self

    def __exit__(self, *_exception: object) -> None:
        http_in_flight.dec()

    def finish(self, response: Response) -> Response:
        seconds = time.perf_counter() - self.started
        match = self.request.resolver_match
        view = (match.view_name or "unnamed") if match else "unmatched"
        method = self.request.method or "?"
        counted = method if method in METHODS else "other"  # anybody can make up more
        http_requests.labels(counted, view, str(response.status_code)).inc()
        http_seconds.labels(view).observe(seconds)
        response.headers.setdefault(HEADER, self.id)
        if self.request.path not in SILENT:
            level = logging.ERROR if response.status_code >= 500 else logging.INFO
            fields = {"status": response.status_code, "ms": round(seconds * 1000, 1)}
            log.log(level, "%s %s", method, self.request.path, extra=fields)
        return response
