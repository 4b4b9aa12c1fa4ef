from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from config import problems
from config.error_pages import respond
from security.rate_limits import LimitReached

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class ApiProblemMiddleware:
    """Errors that arise outside an operation (no route, wrong method) also read as problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith("/api/"):
            return response
        if response.headers.get("Content-Type", "").startswith(problems.CONTENT_TYPE):
            return response
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        return problems.from_status(response.status_code, kept).to_response()


class LimitMiddleware:
    """A page's request beyond a rate limit: a page in words, or a problem where a script asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, LimitReached):
            return None
        problem = problems.describe(error)
        return respond(request, problem.status, detail=problem.detail, headers=problem.headers)
