"""Who calls the JSON API: the holder of a bearer token, or a browser session with CSRF.

A request that has an `Authorization` header is judged by it alone: its cookies are ignored.
"""

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from accounts import tokens
from accounts.errors import CsrfRefused, MissingScope
from accounts.models import ApiToken, User
from accounts.tokens import Scope


class BearerToken(HttpBearer):
    """An API token, made in the settings page or by `manage.py token`.

    `any_of`: one of these scopes is enough; none means that every valid token will do.
    """

    openapi_bearerFormat = "par_<prefix>_<secret>"  # noqa: N815 - OpenAPI's own spelling
    openapi_description = "An API token: made in Settings, or by `python manage.py token EMAIL`."

    def __init__(self, *any_of: Scope) -> None:
        super().__init__()
        self.any_of = any_of

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = tokens.authenticate(token)
        if found is None:
            return None
        if found.scopes and self.any_of and not set(found.scopes) & set(self.any_of):
            raise MissingScope(self.any_of, found.scopes)
        request.user = found.user
        return found


class BrowserSession(APIKeyCookie):
    """The session of a signed-in browser; writing needs the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The session cookie of a signed-in browser. Writing needs `X-CSRFToken`."

    def __call__(self, request: HttpRequest) -> User | None:
        if "Authorization" in request.headers:
            return None
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        if not isinstance(request.user, User):
            return None
        if check_csrf(request) is not None:
            raise CsrfRefused
        return request.user


def callers(*any_of: Scope) -> list[BearerToken | BrowserSession]:
    """The `auth` of an operation that tokens with one of these scopes, and sessions, may call."""
    return [BearerToken(*any_of), BrowserSession()]


def caller(request: HttpRequest) -> User:
    """The person on whose behalf an authenticated operation runs."""
    if not isinstance(request.user, User):
        raise PermissionError("caller() is for operations behind callers().")
    return request.user


ANY = callers()
READ = callers(Scope.READ)
WRITE = callers(Scope.WRITE)
CHAT = callers(Scope.CHAT)
# What concerns the account itself: sessions, exports, its end. A narrowed token may not.
ACCOUNT = callers(Scope.ADMIN)
READ_OR_CHAT = callers(Scope.READ, Scope.CHAT)
