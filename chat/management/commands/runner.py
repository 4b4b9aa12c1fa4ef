import asyncio
import logging
import os
import signal
import threading
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandParser

from chat.turns.runner import Runner
from embedded.tether import follow_parent
from events.leases import LEASE_SECONDS
from observability.interpreter import tune

log = logging.getLogger(__name__)

LEAVE_SECONDS = 28  # a server that hangs holds threads, and with them the end of the process


class Command(BaseCommand):
    help = (
        "Answer questions: hundreds at once, in this process (start more runners for more). On "
        "SIGTERM it takes no new question, finishes what it can within 20 s, keeps and labels "
        "what it cannot, and ends within 30 s; a second SIGTERM does not wait."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--turns", type=int, default=500, help="answers at once (500)")
        parser.add_argument(
            "--lease",
            type=float,
            default=LEASE_SECONDS,
            help="seconds after which another runner takes up the turns of a dead one (30)",
        )

    def handle(self, *args: Any, turns: int, lease: float, **options: Any) -> None:
        follow_parent()
        tune()
        uvloop.run(run(turns, lease))


async def run(capacity: int, lease: float) -> None:
    runner = Runner(capacity=capacity, lease=lease)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        leaving = threading.Timer(LEAVE_SECONDS, leave)
        leaving.daemon = True
        leaving.start()
        runner.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info("runner is ready for %s turns", capacity)
    await runner.run()
    log.info("runner has stopped")


def leave() -> None:
    log.warning("runner leaves what a server that hangs keeps it from; its leases run out")
    os._exit(1)
