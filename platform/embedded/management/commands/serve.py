from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from embedded import up, web
from embedded.errors import StartupError


class Command(BaseCommand):
    help = (
        "Run the web process: pages, API and sockets (Daphne on uvloop). On SIGTERM it answers "
        "/ready with 503, finishes its requests, closes its sockets with 1012 and ends within 30 s."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        up.add_arguments(parser)

    def handle(self, *args: Any, host: str, port: str, **options: Any) -> None:
        try:
            number = up.port_number(port)
            up.check_port(host, number)
        except StartupError as problem:
            raise CommandError(str(problem)) from problem
        web.serve(host, number)
