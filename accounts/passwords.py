"""Asking for the password once more, before something that cannot be undone."""

from django.http import HttpRequest

from accounts.callers import caller
from accounts.errors import WrongPassword
from accounts.limits import guesser
from security.rate_limits import Action, refund, spend


def confirm_password(request: HttpRequest, password: str) -> None:
    """Raises WrongPassword, and LimitReached for whoever guesses: tries count like signing in."""
    user = caller(request)
    tried = guesser(request, user.email)
    spend(Action.SIGN_IN, tried)
    if not user.check_password(password):
        raise WrongPassword
    refund(Action.SIGN_IN, tried)
