"""Conversations of our own JSON export (`chat.exports`), from this installation or another one.

Citations stay behind: the documents they quote are not in the export.
"""

from typing import Any

from django.utils.translation import gettext_noop as _

from chat.exports.documents import FORMAT, VERSION
from chat.imports.types import Foreign, Node, Unreadable, line, mapping, moment, sequence, words

SOURCE = "parley"
MOST = 100_000
NEWER = _("It was exported by a newer version of Parley.")
NO_MESSAGES = _("Its messages are missing.")


def is_one(item: dict[str, Any]) -> bool:
    return item.get("format") == FORMAT


def read(item: dict[str, Any]) -> Foreign:
    """Raises Unreadable."""
    version, external_id = item.get("version"), line(item.get("id"))
    if not isinstance(version, int) or version > VERSION:
        raise Unreadable(NEWER)
    messages = [mapping(message) for message in sequence(item.get("messages"))]
    if not messages or not external_id or len(messages) > MOST:
        raise Unreadable(NO_MESSAGES)
    return Foreign(
        source=SOURCE,
        external_id=external_id,
        title=line(item.get("title")),
        nodes=[_node(message) for message in messages],
        current=words(item.get("leaf_id")) or None,
        created_at=moment(item.get("created_at")),
        updated_at=moment(item.get("updated_at")),
    )


def _node(message: dict[str, Any]) -> Node:
    own, parent = words(message.get("id")), words(message.get("parent_id")) or None
    role = words(message.get("role"))
    text = words(message.get("text"))
    if role not in {"user", "assistant"} or not text:
        return Node(own, parent)
    return Node(
        own,
        parent,
        role,
        text,
        words(message.get("reasoning")),
        line(message.get("model"), 120),
        moment(message.get("created_at")),
    )
