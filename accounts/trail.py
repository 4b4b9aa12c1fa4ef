"""What allauth and Django tell of people at the door, as entries of the audit log."""

from typing import Any

from allauth.account import signals as account
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from accounts import devices
from accounts.models import User
from security import audit
from security.acts import Act


def follow() -> None:
    """Listen from now on; called once, when Django starts."""
    auth.user_logged_in.connect(_signed_in)
    auth.user_logged_out.connect(_signed_out)
    auth.user_login_failed.connect(_refused)
    account.user_signed_up.connect(_signed_up)
    account.password_changed.connect(_password_changed)
    account.password_set.connect(_password_changed)
    account.password_reset.connect(_password_reset)
    account.email_changed.connect(_email_changed)


def _signed_in(user: User, **_signal: Any) -> None:
    audit.record(Act.SIGNED_IN, user, by=user)


def _signed_out(user: User | None, **_signal: Any) -> None:
    if user is not None:
        audit.record(Act.SIGNED_OUT, user, by=user)


def _refused(credentials: dict[str, Any], **_signal: Any) -> None:
    """Names the account if there is one: what else was typed may be a password in the wrong box."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    tried = User.objects.filter(email__iexact=email.replace("\0", "")).first()
    audit.record(Act.SIGN_IN_FAILED, tried, title=tried.email if tried else "")


def _signed_up(user: User, **_signal: Any) -> None:
    audit.record(Act.SIGNED_UP, user, by=user, title=user.email)


def _password_changed(user: User, request: HttpRequest | None = None, **_signal: Any) -> None:
    """Whoever knew the old one is out: every other browser, at once."""
    audit.record(Act.PASSWORD_CHANGED, user, by=user, title=user.email)
    devices.sign_out_everywhere(user, keep=request.session.session_key if request else None)


def _password_reset(user: User, **_signal: Any) -> None:
    audit.record(Act.PASSWORD_RESET, user, by=user, title=user.email)
    devices.sign_out_everywhere(user)


def _email_changed(user: User, **_signal: Any) -> None:
    audit.record(Act.EMAIL_CHANGED, user, by=user, title=user.email)
