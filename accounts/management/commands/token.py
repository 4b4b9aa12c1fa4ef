from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import selectors, tokens
from accounts.errors import UnknownScope


class Command(BaseCommand):
    help = (
        "Makes an API token and prints it, and nothing else, on stdout. It is shown only now: "
        "the server keeps a hash."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="whose token it will be")
        parser.add_argument("--name", default="command line", help="how the settings page lists it")
        parser.add_argument(
            "--scopes",
            default="",
            metavar="A,B",
            help=f"limits it to some of {', '.join(tokens.Scope)}; default: all its user may do",
        )
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="refused after so many days; default: never"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = selectors.find_user(options["email"])
        if user is None:
            raise CommandError(f"Nobody here signs in as {options['email']}.")
        if not user.is_active:
            raise CommandError(f"{user.email} is disabled; enable the account in the admin first.")
        days = options["expires"]
        if days is not None and days < 1:
            raise CommandError("--expires takes a number of days, 1 or more.")
        try:
            _token, plaintext = tokens.issue(
                user,
                name=options["name"],
                scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except UnknownScope as error:
            raise CommandError(str(error)) from error
        self.stdout.write(plaintext)
