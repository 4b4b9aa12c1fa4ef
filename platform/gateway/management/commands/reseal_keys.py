from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.services import list_unreadable, reseal_keys


class Command(BaseCommand):
    help = (
        "Seal every stored API key with the first key of PARLEY_SECRET_KEYS. To change the key: "
        "put a new one before the old ones, restart, run this, then take the old ones away. Run "
        "again, also after it was killed, it does what is left to do. Parley may run meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = reseal_keys()
        what = "1 API key was" if count == 1 else f"{count} API keys were"
        self.stdout.write(f"{what} sealed anew; all others are up to date.")
        if unreadable := [endpoint.name for endpoint in list_unreadable()]:
            raise CommandError(
                f"No key here opens what these endpoints hold: {', '.join(unreadable[:20])}. "
                "Put the key that sealed them behind the others in PARLEY_SECRET_KEYS, or enter "
                "their API keys again."
            )
        self.stdout.write("Keys behind the first in PARLEY_SECRET_KEYS are not needed any more.")
