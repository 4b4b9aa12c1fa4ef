from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Header, Query, Router, Status
from pydantic import StringConstraints

from accounts.access import require_editable, require_owned
from accounts.callers import CHAT, READ_OR_CHAT, WRITE, caller
from accounts.limits import spend_for
from accounts.payers import token_of
from chat import selectors, services
from chat.changes import update_conversation as change_conversation
from chat.live import streams
from chat.live.visitors import visitor_of
from chat.models import Conversation, Turn
from chat.retention import deletion
from chat.schemas import (
    ConversationIn,
    ConversationOut,
    ConversationPatch,
    ConversationsQuery,
    EventsQuery,
    JobOut,
    MessageOut,
    TurnAccepted,
    TurnIn,
    TurnOut,
)
from events.jobs import request_cancel
from security.paging import paginate
from security.rate_limits import Action
from security.reading import reading_as
from security.schemas import PageOf, PageQuery

router = Router()
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]
EVENTS = {
    "responses": {
        200: {
            "description": "Server-sent events; `id` is the seq, `event` the kind, `data` JSON. "
            "The stream ends with the work. `event: reload` means: read the state anew.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
}


@router.get(
    "/conversations", response=PageOf[ConversationOut], auth=READ_OR_CHAT, tags=["Conversations"],
    summary="List conversations", operation_id="list_conversations",
)  # fmt: skip
def list_conversations(request: HttpRequest, page: Query[ConversationsQuery]) -> Any:
    """Yours and those shared with you, last changed first."""
    rows = selectors.list_conversations(caller(request))
    if page.folder is not None:
        rows = rows.filter(filings__folder=page.folder, filings__owner=caller(request))
    if page.is_archived is not None:
        rows = rows.filter(archived_at__isnull=not page.is_archived)
    return paginate(rows, ["-updated_at", "-id"], page.cursor, page.limit)


@router.post(
    "/conversations", response={201: ConversationOut}, auth=CHAT, tags=["Conversations"],
    summary="Make a conversation", operation_id="create_conversation",
)  # fmt: skip
def create_conversation(request: HttpRequest, body: ConversationIn) -> Any:
    user = caller(request)
    made = services.create_conversation(
        user,
        title=body.title,
        agent=body.agent,
        collections=body.collections,
        model=body.model,
        temporary=body.temporary,
    )
    return Status(201, selectors.find_conversation(user, made.pk))


@router.get(
    "/conversations/{uuid:conversation_id}", response=ConversationOut, auth=READ_OR_CHAT,
    tags=["Conversations"], summary="Read a conversation", operation_id="get_conversation",
)  # fmt: skip
def get_conversation(request: HttpRequest, conversation_id: UUID) -> Any:
    return selectors.find_conversation(caller(request), conversation_id)


@router.patch(
    "/conversations/{uuid:conversation_id}", response=ConversationOut, auth=CHAT,
    tags=["Conversations"], summary="Change a conversation", operation_id="update_conversation",
)  # fmt: skip
def update_conversation(
    request: HttpRequest, conversation_id: UUID, body: ConversationPatch
) -> Any:
    """Needs the role editor."""
    user = caller(request)
    require_editable(Conversation.objects, user, conversation_id)
    change_conversation(user, conversation_id, **body.model_dump(exclude_none=True))
    return selectors.find_conversation(user, conversation_id)


@router.delete(
    "/conversations/{uuid:conversation_id}", response={204: None}, auth=CHAT,
    tags=["Conversations"], summary="Delete a conversation", operation_id="delete_conversation",
)  # fmt: skip
def delete_conversation(request: HttpRequest, conversation_id: UUID) -> Any:
    """With all its messages, for everyone; it can be restored for ten minutes. Needs the role
    owner."""
    user = caller(request)
    require_owned(Conversation.objects, user, conversation_id)
    deletion.delete_conversation(user, conversation_id)
    return Status(204, None)


@router.post(
    "/conversations/{uuid:conversation_id}/restore", response=ConversationOut, auth=CHAT,
    tags=["Conversations"], summary="Undo a deletion", operation_id="restore_conversation",
)  # fmt: skip
def restore_conversation(request: HttpRequest, conversation_id: UUID) -> Any:
    """Within ten minutes; one that was not deleted stays as it is. Needs the role owner."""
    user = caller(request)
    if not Conversation.objects.restorable_by(user).filter(pk=conversation_id).exists():
        require_owned(Conversation.objects, user, conversation_id)
    deletion.restore_conversation(user, conversation_id)
    return selectors.find_conversation(user, conversation_id)


@router.get(
    "/conversations/{uuid:conversation_id}/messages", response=PageOf[MessageOut],
    auth=READ_OR_CHAT, tags=["Conversations"], summary="List messages",
    operation_id="list_messages",
)  # fmt: skip
def list_messages(request: HttpRequest, conversation_id: UUID, page: Query[PageQuery]) -> Any:
    """Every message of the tree, oldest first; `parent_id` says what each one follows."""
    user = caller(request)
    rows = selectors.list_messages(user, conversation_id)
    with reading_as(user):
        return paginate(rows, ["id"], page.cursor, page.limit)


@router.post(
    "/conversations/{uuid:conversation_id}/turns", response={202: TurnAccepted}, auth=CHAT,
    tags=["Turns"], summary="Ask", operation_id="start_turn",
)  # fmt: skip
def start_turn(
    request: HttpRequest,
    conversation_id: UUID,
    body: TurnIn,
    idempotency_key: Annotated[IdempotencyKey | None, Header(None, alias="Idempotency-Key")] = None,
) -> Any:
    """Accepts the question and answers at once; follow /turns/{id}/events for the answer.

    The same `Idempotency-Key` again gives the same turn, however often it is sent.
    """
    user = caller(request)
    spend_for(request, Action.TURNS)
    require_editable(Conversation.objects, user, conversation_id)
    turn = services.start_turn(
        user,
        conversation_id,
        body.text,
        parent=body.parent or services.Place.LEAF,
        agent=body.agent,
        collections=body.collections,
        idempotency_key=idempotency_key,
        attachments=body.attachments,
        question=body.question,
        model=body.model,
        beside=body.beside,
        continues=body.continues,
        without=[one.value for one in body.without],
        token=token_of(request),
    )
    return Status(202, {"turn_id": turn.pk, "message_id": turn.answer_id})


@router.get(
    "/turns/{uuid:turn_id}", response=TurnOut, auth=READ_OR_CHAT, tags=["Turns"],
    summary="Read a turn", operation_id="get_turn",
)  # fmt: skip
def get_turn(request: HttpRequest, turn_id: UUID) -> Any:
    """Its status, and the answer as far as it is stored."""
    return selectors.find_turn(caller(request), turn_id)


@router.post(
    "/turns/{uuid:turn_id}/stop", response={202: TurnOut}, auth=CHAT, tags=["Turns"],
    summary="Stop a turn", operation_id="stop_turn",
)  # fmt: skip
def stop_turn(request: HttpRequest, turn_id: UUID) -> Any:
    """Asks it to stop; what was said stays. Stopping twice, or too late, changes nothing."""
    user = caller(request)
    require_editable(Turn.objects, user, turn_id)
    services.stop_turn(user, turn_id)
    return Status(202, selectors.find_turn(user, turn_id))


@router.get(
    "/turns/{uuid:turn_id}/events", auth=READ_OR_CHAT, tags=["Turns"], openapi_extra=EVENTS,
    summary="Follow a turn", operation_id="follow_turn",
)  # fmt: skip
def follow_turn(request: HttpRequest, turn_id: UUID, query: Query[EventsQuery]) -> HttpResponseBase:
    """The events of the answer as they happen. `Last-Event-ID` resumes where a client lost it."""
    turn = selectors.find_turn(caller(request), turn_id)
    return _follow(request, turn.pk, query.after)


@router.get(
    "/jobs/{uuid:job_id}", response=JobOut, auth=READ_OR_CHAT, tags=["Jobs"],
    summary="Read a job", operation_id="get_job",
)  # fmt: skip
def get_job(request: HttpRequest, job_id: UUID) -> Any:
    return selectors.find_job(caller(request), job_id)


@router.get(
    "/jobs/{uuid:job_id}/events", auth=READ_OR_CHAT, tags=["Jobs"], openapi_extra=EVENTS,
    summary="Follow a job", operation_id="follow_job",
)  # fmt: skip
def follow_job(request: HttpRequest, job_id: UUID, query: Query[EventsQuery]) -> HttpResponseBase:
    """Its progress as it happens. `Last-Event-ID` resumes where a client lost it."""
    job = selectors.find_job(caller(request), job_id)
    return _follow(request, job.pk, query.after)


@router.post(
    "/jobs/{uuid:job_id}/cancel", response={202: JobOut}, auth=WRITE, tags=["Jobs"],
    summary="Cancel a job", operation_id="cancel_job",
)  # fmt: skip
def cancel_job(request: HttpRequest, job_id: UUID) -> Any:
    """Asks it to stop; what it has finished stays. Cancelling twice changes nothing."""
    user = caller(request)
    request_cancel(selectors.require_own_job(user, job_id).pk)
    return Status(202, selectors.find_job(user, job_id))


def _follow(request: HttpRequest, stream_id: UUID, after: int) -> HttpResponseBase:
    after = streams.position_of(request, after)
    return streams.event_stream(caller(request), visitor_of(request), stream_id, after)
