from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.forms import ValidationError
from django.http import HttpRequest

from accounts.limits import guesser
from security.rate_limits import Action, LimitReached, refund, spend


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.PARLEY_SIGNUP == "open")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try. (allauth's own count begins anew with every port in the Host header.)"""
        try:
            spend(Action.SIGN_IN, guesser(request, _email(credentials)))
        except LimitReached as error:
            raise ValidationError(str(error), code="too_many_login_attempts") from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Who knows the password has used up nothing."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            refund(Action.SIGN_IN, guesser(request, _email(credentials)))
        return user


def _email(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")
