"""Changes that several services make together, and those of an operator."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from chat import services
from chat.models import Turn
from events import doorbell


@transaction.atomic
def update_conversation(
    user: User,
    conversation_id: UUID,
    *,
    title: str | None = None,
    agent: str | None = None,
    model: str | None = None,
    collections: Sequence[UUID] | None = None,
    is_pinned: bool | None = None,
    is_archived: bool | None = None,
) -> None:
    """Changes what is given and leaves the rest. Raises Http404."""
    if title is not None:
        services.rename_conversation(user, conversation_id, title)
    if agent is not None:
        services.choose_agent(user, conversation_id, agent)
    if model is not None:
        services.choose_model(user, conversation_id, model)
    if collections is not None:
        services.choose_collections(user, conversation_id, collections)
    if is_pinned is not None:
        services.pin_conversation(user, conversation_id, is_pinned=is_pinned)
    if is_archived is not None:
        services.archive_conversation(user, conversation_id, is_archived=is_archived)


def stop_as_operator(turn: Turn) -> bool:
    """Asks the runner to stop a turn, whoever asked it; says whether there was anything to stop."""
    running = Turn.objects.filter(pk=turn.pk, status__in=services.UNFINISHED)
    if not running.filter(stop_requested_at=None).update(stop_requested_at=Now()):
        return False
    doorbell.ring(doorbell.RUNNERS, {"stop": str(turn.pk)})
    return True
