"""How somebody who was given an account gets in for the first time."""

import secrets
import string

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest

from accounts.models import User

ALPHABET = string.ascii_lowercase.replace("l", "") + "23456789"


def generate_password() -> str:
    """Four groups of five characters that are easy to type: 100 random bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def set_generated_password(user: User) -> str:
    """Gives the user a new random password and returns it; it is not kept anywhere else."""
    password = generate_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def send_password_link(user: User, request: HttpRequest) -> None:
    """Sends the e-mail of the password reset, with a link that works once."""
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        form.save(request)
