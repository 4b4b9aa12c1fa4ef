from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from accounts.callers import READ_OR_CHAT, caller
from chat.why.reading import find_why
from chat.why.schemas import WhyOut

router = Router()


@router.get(
    "/messages/{uuid:message_id}/why", response=WhyOut, auth=READ_OR_CHAT, tags=["Conversations"],
    summary="Why this answer", operation_id="get_why",
)  # fmt: skip
def get_why(request: HttpRequest, message_id: UUID) -> Any:
    """What was searched for and found, what was left out and by which rule, what the model was
    given, who was asked, how long it took. Of passages that you may not see now, ranks alone."""
    return find_why(caller(request), message_id)
