from typing import Any

from django.core.management.base import BaseCommand, CommandError

from security.resealing import list_unreadable, reseal_all


class Command(BaseCommand):
    help = (
        "Seal every stored secret (API keys, those of webhooks) with the first key of "
        "PARLEY_SECRET_KEYS. To change the key: "
        "put a new one before the old ones, restart, run this, then take the old ones away. Run "
        "again, also after it was killed, it does what is left to do. Parley may run meanwhile."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        count = reseal_all()
        what = "1 secret was" if count == 1 else f"{count} secrets were"
        self.stdout.write(f"{what} sealed anew; all others are up to date.")
        if unreadable := list_unreadable():
            raise CommandError(
                f"No key here opens what these hold: {', '.join(unreadable[:20])}. "
                "Put the key that sealed them behind the others in PARLEY_SECRET_KEYS, or enter "
                "their API keys again; a webhook gets a secret with another address."
            )
        self.stdout.write("Keys behind the first in PARLEY_SECRET_KEYS are not needed any more.")
