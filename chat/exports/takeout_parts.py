"""What of an export is conversations: every message, the folders, and what one thought of it."""

from collections.abc import Callable, Iterator
from typing import Any
from zipfile import ZipFile

import orjson

from accounts.models import User
from chat.exports import documents as exports
from chat.imports.models import Import
from chat.models import Conversation, Feedback, Filing, Folder, Preference, SharedLink, Turn
from gateway.models import RoutingChoice, Usage, UsageDay


def write_conversations(user: User, archive: ZipFile) -> Iterator[int]:
    """`conversations.jsonl` and `markdown/` as in the chat export; a file for each of `BESIDE`."""
    yield 2 * exports.count_own(user) + len(BESIDE)
    for _written in exports.write_conversations(user, archive):
        yield 1
    for name, rows in BESIDE.items():
        written = orjson.dumps(list(rows(user)), default=str, option=orjson.OPT_INDENT_2)
        archive.writestr(f"{name}.json", written)
        yield 1


def _folders(user: User) -> Any:
    filings = list(Filing.objects.filter(owner=user).values_list("folder", "conversation"))
    return [
        {
            "name": folder.name,
            "conversations": [talk for place, talk in filings if place == folder.pk],
        }
        for folder in Folder.objects.visible_to(user)
    ]


def _feedback(user: User) -> Any:
    return Feedback.objects.visible_to(user).values(
        "message_id", "rating", "reasons", "comment", "model_name", "created_at", "updated_at"
    )


def _preferences(user: User) -> Any:
    """Which of several answers they liked best."""
    own = Preference.objects.filter(person=user).order_by("pk")
    return own.values("question_id", "message_id", "model_name", "others", "created_at")


def _links(user: User) -> Any:
    return SharedLink.objects.visible_to(user).values(
        "id", "conversation_id", "title", "is_public", "taken_at", "expires_at", "created_at"
    )


def _imports(user: User) -> Any:
    return Import.objects.visible_to(user).values(
        "file_name", "size", "state", "added", "known", "failed", "created_at", "finished_at"
    )


def _questions(user: User) -> Any:
    """What they asked in conversations of others, as far as they may still see those."""
    seen = Conversation.objects.visible_to(user).exclude(owner=user)
    turns = Turn.objects.filter(requested_by=user, conversation__in=seen).order_by("pk")
    return turns.values("conversation_id", "question__text", "created_at")


def _usage(user: User) -> Any:
    """What their questions cost, call by call."""
    return Usage.objects.filter(account_id=user.pk).order_by("pk").values(*USAGE)


def _usage_by_day(user: User) -> Any:
    """What it added up to, also of calls that are not kept one by one any more."""
    return UsageDay.objects.filter(account_id=user.pk).order_by("at").values(*USAGE_OF_A_DAY)


def _choices(user: User) -> Any:
    """Which model their questions were given to, and what of them decided it."""
    found = RoutingChoice.objects.filter(account_id=user.pk).order_by("pk")
    return found.values("turn_id", "tier", "target", "features", "voted_by", "created_at")


USAGE = (
    "turn_id", "agent_id", "token_id", "purpose", "model_name", "prompt_tokens", "cached_tokens",
    "completion_tokens", "reasoning_tokens", "cost", "currency", "is_estimated", "outcome",
    "created_at",
)  # fmt: skip
USAGE_OF_A_DAY = (
    "at", "agent_id", "token_id", "purpose", "model_name", "calls", "failed", "prompt_tokens",
    "cached_tokens", "completion_tokens", "cost", "currency", "uncosted",
)  # fmt: skip
BESIDE: dict[str, Callable[[User], Any]] = {
    "folders": _folders,
    "feedback": _feedback,
    "preferences": _preferences,
    "links": _links,
    "imports": _imports,
    "questions": _questions,
    "usage": _usage,
    "usage_by_day": _usage_by_day,
    "routing": _choices,
}
