"""What an administrator does about choices: corrects them, and lets an alias learn from that."""

from uuid import UUID

from django.utils import timezone

from gateway.complexity.aliases import forget_aliases
from gateway.complexity.learning import Lesson
from gateway.complexity.models import RoutingAlias, RoutingChoice
from gateway.complexity.report import lesson_for
from gateway.complexity.score import TIERS


def correct(choice: RoutingChoice, tier: str, by: UUID | None) -> None:
    """From now on the same question gets this tier; "" takes the correction back."""
    is_tier = tier in TIERS
    choice.corrected_tier = tier if is_tier else ""
    choice.corrected_by_id = by if is_tier else None
    choice.corrected_at = timezone.now() if is_tier else None
    choice.save(update_fields=["corrected_tier", "corrected_by_id", "corrected_at"])
    forget_aliases()


def take_up(alias: RoutingAlias) -> Lesson | None:
    """Judge by what the corrections teach; None, and nothing changes, where it is no better."""
    lesson = lesson_for(alias)
    if lesson is None or not lesson.is_better:
        return None
    alias.weights = dict(lesson.settings.weights)
    alias.medium_from, alias.hard_from = lesson.settings.medium_from, lesson.settings.hard_from
    alias.learned_at = timezone.now()
    alias.save(update_fields=["weights", "medium_from", "hard_from", "learned_at"])
    forget_aliases()
    return lesson
