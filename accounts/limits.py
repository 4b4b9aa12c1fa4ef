"""Whose buckets a request draws from."""

from django.http import HttpRequest

from accounts.callers import caller
from accounts.models import ApiToken
from security.rate_limits import Action, Who, network_of, spend
from security.rates import Per


def spend_for(request: HttpRequest, action: Action, count: int = 1) -> None:
    """Count this request of a signed-in caller, once or `count` times. Raises LimitReached."""
    token = getattr(request, "auth", None)
    spend(
        action,
        {
            Per.PERSON: str(caller(request).pk),
            Per.TOKEN: str(token.pk) if isinstance(token, ApiToken) else "",
            Per.ADDRESS: address_of(request),
        },
        count,
    )


def address_of(request: HttpRequest) -> str:
    """The network of the client as the server saw it: X-Forwarded-For is anybody's to write."""
    return network_of(request.META.get("REMOTE_ADDR", ""))


def guesser(request: HttpRequest, email: str) -> Who:
    """Somebody who tries a password."""
    account, address = email.strip().lower(), address_of(request)
    return {Per.ACCOUNT: account, Per.ADDRESS: address, Per.GUESSER: f"{account} {address}"}
