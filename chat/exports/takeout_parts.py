"""What of an export is conversations: every message, the folders, and what one thought of it."""

from collections.abc import Iterator
from zipfile import ZipFile

import orjson

from accounts.models import User
from chat.exports import documents as exports
from chat.models import Feedback, Filing, Folder, SharedLink


def write_conversations(user: User, archive: ZipFile) -> Iterator[int]:
    """`conversations.jsonl` and `markdown/` as in the chat export; `folders.json`, `feedback.json`
    and `links.json`."""
    yield 2 * exports.count_own(user) + 3
    for _written in exports.write_conversations(user, archive):
        yield 1
    filings = Filing.objects.filter(owner=user).values_list("folder", "conversation")
    folders = [
        {
            "name": folder.name,
            "conversations": [talk for place, talk in filings if place == folder.pk],
        }
        for folder in Folder.objects.visible_to(user)
    ]
    archive.writestr("folders.json", orjson.dumps(folders, option=orjson.OPT_INDENT_2))
    yield 1
    told = Feedback.objects.visible_to(user).values(
        "message_id", "rating", "reasons", "comment", "model_name", "updated_at"
    )
    archive.writestr("feedback.json", orjson.dumps(list(told), option=orjson.OPT_INDENT_2))
    yield 1
    links = SharedLink.objects.visible_to(user).values(
        "id", "conversation_id", "title", "is_public", "taken_at", "expires_at", "created_at"
    )
    archive.writestr("links.json", orjson.dumps(list(links), option=orjson.OPT_INDENT_2))
    yield 1
