"""Choices are stored beside the answer, which never waits for them."""

import asyncio
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from gateway.complexity.models import RoutingChoice
from observability.patience import run_patiently
from security.ids import first_id_at

BATCH = 5000  # rows that are removed in one statement

log = structlog.get_logger(__name__)
_recording: set[asyncio.Task[None]] = set()


def record_choice(choice: RoutingChoice) -> None:
    """Return at once. What cannot be stored is logged: an answer is worth more than its record."""
    task = asyncio.create_task(_store(choice))
    _recording.add(task)
    task.add_done_callback(_recording.discard)


async def recorded() -> None:
    """When everything that this loop was told to record is stored."""
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(task for task in _recording if task.get_loop() is loop))


async def _store(choice: RoutingChoice) -> None:
    try:
        await run_patiently(choice.save, force_insert=True)
    except DatabaseError:
        log.exception("routing_choice_not_recorded", alias=str(choice.alias_id))


def remove_old() -> int:
    """For the clock: choices are kept for PARLEY_ROUTING_CHOICES_DAYS, corrected ones as labelled
    data without turn and person. Says how many were removed."""
    until = first_id_at(timezone.now() - timedelta(days=settings.PARLEY_ROUTING_CHOICES_DAYS))
    old = RoutingChoice.objects.filter(pk__lt=until)
    corrected = old.exclude(corrected_tier="").filter(account_id__isnull=False)
    corrected.update(account_id=None, turn_id=None)
    removed = 0
    while found := list(
        old.filter(corrected_tier="").order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        removed += RoutingChoice.objects.filter(pk__in=found, corrected_tier="").delete()[0]
    return removed
