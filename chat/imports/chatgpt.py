"""Conversations of ChatGPT's export: a mapping of nodes, each with its message and its parent.

Rules for the model, tools at work and hidden messages have no role here; what the model thought is
kept as reasoning. Pictures and sound are not in the export's JSON: a line says that one was there.
"""

import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext_noop as _

from chat.imports.types import Foreign, Node, Unreadable, line, mapping, moment, sequence, words

SOURCE = "chatgpt"
MOST = 10_000  # nodes of one conversation
# What the page turned into links to sources: private characters around codes.
MARKERS = re.compile("\ue200[^\ue201]{0,2000}\ue201|[\ue200-\ue20f]|【[^】]{0,80}†[^】]{0,80}】")
PICTURE = "[picture]"  # questions are shown as they are, without Markdown
SOUND = "*[sound]*"
NO_TREE = _("Its messages are missing.")
TOO_MANY = _("It has too many messages.")


def is_one(item: dict[str, Any]) -> bool:
    return "mapping" in item


def read(item: dict[str, Any]) -> Foreign:
    """Raises Unreadable."""
    tree = mapping(item.get("mapping"))
    if not tree:
        raise Unreadable(NO_TREE)
    if len(tree) > MOST:
        raise Unreadable(TOO_MANY)
    given = item.get("conversation_id") or item.get("id")
    return Foreign(
        source=SOURCE,
        external_id=line(given)
        or sha256("".join(sorted(tree)).encode(errors="ignore")).hexdigest(),
        title=line(item.get("title")),
        nodes=[_node(key, mapping(tree[key])) for key in _in_order(tree)],
        current=words(item.get("current_node")) or None,
        created_at=moment(item.get("create_time")),
        updated_at=moment(item.get("update_time")),
    )


def _in_order(tree: dict[str, Any]) -> list[str]:
    """Siblings as their parent lists them: that is the order of versions."""
    listed: dict[str, int] = {}
    for node in tree.values():
        for child in sequence(mapping(node).get("children")):
            if isinstance(child, str):
                listed.setdefault(child, len(listed))
    return sorted(tree, key=lambda key: listed.get(key, -1))


def _node(key: str, node: dict[str, Any]) -> Node:
    message = mapping(node.get("message"))
    parent = node.get("parent")
    place = Node(key, parent if isinstance(parent, str) else None)
    role = mapping(message.get("author")).get("role")
    about = mapping(message.get("metadata"))
    is_hidden = about.get("is_visually_hidden_from_conversation") is True
    is_to_a_tool = message.get("recipient") not in {None, "all"}
    if role not in {"user", "assistant"} or is_hidden or is_to_a_tool:
        return place
    content = mapping(message.get("content"))
    text, reasoning = _said(content)
    if not text and not reasoning:
        return place
    return replace(
        place,
        role=role,
        text=text,
        reasoning=reasoning,
        model=line(about.get("model_slug"), 120) if role == "assistant" else "",
        at=moment(message.get("create_time")),
    )


def _said(content: dict[str, Any]) -> tuple[str, str]:
    """Text and reasoning of a message's content, by its type."""
    match content.get("content_type"):
        case "text" | "multimodal_text":
            parts = [_part(part) for part in sequence(content.get("parts"))]
            return _plain("\n\n".join(part for part in parts if part)), ""
        case "code":
            text = words(content.get("text")).strip()
            language = line(content.get("language"), 20)
            language = "" if language == "unknown" else language
            return (f"```{language}\n{text}\n```" if text else ""), ""
        case "thoughts":
            thoughts = [mapping(thought) for thought in sequence(content.get("thoughts"))]
            return "", "\n\n".join(words(it.get("content")) for it in thoughts).strip()
        case None:
            return _plain(words(content.get("text"))), ""
        case _:
            return "", ""  # what a tool printed, a page that was read, rules of the person


def _part(part: Any) -> str:
    if isinstance(part, str):
        return words(part)
    kind = words(mapping(part).get("content_type"))
    if kind == "audio_transcription":
        return words(part.get("text"))
    if kind == "image_asset_pointer":
        return PICTURE
    return SOUND if "audio" in kind and "video" not in kind else ""


def _plain(text: str) -> str:
    return MARKERS.sub("", text).strip()
