"""Conversations of Claude's export: a list of messages, newer ones with their parents."""

from typing import Any

from django.utils.translation import gettext_noop as _

from chat.imports.types import Foreign, Node, Unreadable, line, mapping, moment, sequence, words

SOURCE = "claude"
MOST = 10_000
ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
NO_MESSAGES = _("Its messages are missing.")
TOO_MANY = _("It has too many messages.")


def is_one(item: dict[str, Any]) -> bool:
    return "chat_messages" in item


def read(item: dict[str, Any]) -> Foreign:
    """Raises Unreadable."""
    messages = [mapping(message) for message in sequence(item.get("chat_messages"))]
    external_id = line(item.get("uuid"))
    if not messages or not external_id:
        raise Unreadable(NO_MESSAGES)
    if len(messages) > MOST:
        raise Unreadable(TOO_MANY)
    nodes = _nodes(messages)
    return Foreign(
        source=SOURCE,
        external_id=external_id,
        title=line(item.get("name")),
        nodes=nodes,
        current=words(item.get("current_leaf_message_uuid")) or nodes[-1].id,
        created_at=moment(item.get("created_at")),
        updated_at=moment(item.get("updated_at")),
    )


def _nodes(messages: list[dict[str, Any]]) -> list[Node]:
    """Where no message names its parent, each follows the one before."""
    ids = [words(message.get("uuid")) or f"#{n}" for n, message in enumerate(messages)]
    parents = [words(message.get("parent_message_uuid")) for message in messages]
    is_tree = any(parent in set(ids) for parent in parents)
    before = [None, *ids[:-1]]
    return [
        _node(own, (parent or None) if is_tree else last, message)
        for own, parent, last, message in zip(ids, parents, before, messages, strict=True)
    ]


def _node(own: str, parent: str | None, message: dict[str, Any]) -> Node:
    role = ROLES.get(words(message.get("sender")), "")
    blocks = [mapping(block) for block in sequence(message.get("content"))]
    texts = [words(block.get("text")).strip() for block in blocks if block.get("type") == "text"]
    thoughts = [words(it.get("thinking")) for it in blocks if it.get("type") == "thinking"]
    text = "\n\n".join(text for text in texts if text) or words(message.get("text")).strip()
    text = "\n\n".join(part for part in (text, *_attached(message)) if part)
    reasoning = "\n\n".join(thoughts).strip()
    if not role or not (text or reasoning):
        return Node(own, parent)
    at = moment(message.get("created_at"))
    return Node(own, parent, role, text, reasoning, at=at)


def _attached(message: dict[str, Any]) -> list[str]:
    """Attachments with the text that was taken out of them; of other files the name alone."""
    parts = []
    for attachment in map(mapping, sequence(message.get("attachments"))):
        name = line(attachment.get("file_name")) or "attachment"
        text = words(attachment.get("extracted_content")).strip()
        parts.append(f"[{name}]\n\n{text}" if text else f"[{name}]")
    known = {part.split("]", 1)[0] for part in parts}
    names = [line(mapping(file).get("file_name")) for file in sequence(message.get("files"))]
    return parts + [f"[{name}]" for name in names if name and f"[{name}" not in known]
