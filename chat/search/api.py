from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from accounts.callers import READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat.schemas import ConversationHit, SearchQuery
from chat.search.filters import Wanted
from chat.search.finding import BEST_FIRST, Hit, describe, search_conversations
from knowledge.reading import Run
from security.paging import paginate
from security.rate_limits import Action
from security.schemas import PageOf

router = Router()


@router.get(
    "/conversations/search", response=PageOf[ConversationHit], auth=READ_OR_CHAT,
    tags=["Conversations"], summary="Search conversations", operation_id="search_conversations",
)  # fmt: skip
def find_conversations(request: HttpRequest, query: Query[SearchQuery]) -> Any:
    """Titles, messages and attached files, English and Chinese, archived ones too. Those with all
    words in their title or in many messages come first, then those that changed last."""
    spend_for(request, Action.SEARCHES)
    user = caller(request)
    wanted = Wanted(
        query.since, query.until, query.agent, query.collection, query.found_in, query.author,
        query.is_archived,
    )  # fmt: skip
    rows = search_conversations(user, query.q, wanted)
    page = paginate(rows, BEST_FIRST, query.cursor, query.limit)
    hits = describe(user, page.items, query.q, wanted)
    return {"items": [_told(hit) for hit in hits], "next": page.next}


def _told(hit: Hit) -> dict[str, Any]:
    conversation: Any = hit.conversation
    return {
        "id": conversation.pk,
        "title": conversation.title,
        "title_marks": marks(hit.title),
        "message_id": hit.message_id,
        "snippet": "".join(run.text for run in hit.snippet),
        "snippet_marks": marks(hit.snippet),
        "attachment_id": hit.attachment_id,
        "file_name": "".join(run.text for run in hit.file_name),
        "file_name_marks": marks(hit.file_name),
        "is_archived": conversation.archived_at is not None,
        "folder_id": conversation.folder_id,
        "updated_at": conversation.updated_at,
    }


def marks(runs: Sequence[Run]) -> list[tuple[int, int]]:
    """Where the marked runs stand, in characters of their text together."""
    found, at = [], 0
    for run in runs:
        if run.is_marked:
            found.append((at, at + len(run.text)))
        at += len(run.text)
    return found
