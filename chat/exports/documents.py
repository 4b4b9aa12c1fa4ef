"""A conversation to take away: as Markdown to read, as JSON with everything, or all of one's own.

Sources are told as far as the person who exports may see them.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from chat.attachments.services import sent_to
from chat.models import Citation, Conversation, Message
from chat.schemas import MessageOut
from chat.selectors import citations_for, find_conversation
from chat.spoken import notice_of
from chat.thread import list_thread
from chat.turns.payloads import handed_in, notes_in
from knowledge.storage import path_of

FORMAT = "parley.conversation"
VERSION = 1
NAMED_AFTER = 60  # characters of a title that go into a file's name


def as_json(user: User, conversation_id: UUID) -> bytes:
    """The whole tree of messages with their versions and citations. Raises Http404."""
    return orjson.dumps(_told(user, find_conversation(user, conversation_id)), default=str)


def as_markdown(user: User, conversation_id: UUID) -> str:
    """The path that is shown, each answer with its sources below. Raises Http404."""
    return _written(user, find_conversation(user, conversation_id))


def file_name(title: str, conversation_id: UUID, ending: str) -> str:
    """A name that every system takes; Chinese stays as it is."""
    name = slugify(title, allow_unicode=True)[:NAMED_AFTER].strip("-")
    return f"{name or conversation_id}.{ending}"


def write_everything(user: User, path: Path) -> int:
    """A ZIP of all conversations that `user` owns, archived ones too; how many."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        return sum(1 for _written in write_conversations(user, archive)) // 2


def write_conversations(user: User, archive: zipfile.ZipFile) -> Iterator[None]:
    """Add `conversations.jsonl`, one JSON export a line, `markdown/`, a file for each to read, and
    `attachments/`, the files that were sent, named by their ids in the JSON.

    Yields after each piece: twice for a conversation.
    """
    with archive.open("conversations.jsonl", "w", force_zip64=True) as lines:
        for conversation in _own(user).iterator(chunk_size=200):
            lines.write(orjson.dumps(_told(user, conversation), default=str) + b"\n")
            yield
    for conversation in _own(user).iterator(chunk_size=200):
        name = file_name(conversation.title, conversation.pk, "md")
        day = f"{conversation.created_at:%Y-%m-%d}"
        place = f"markdown/{day} {str(conversation.pk)[-8:]} {name}"
        archive.writestr(place, _written(user, conversation))
        for file in sent_to(user, conversation.pk):
            stored = path_of(file.id)
            if stored.exists():
                archive.write(stored, f"attachments/{file.id} {file.name}")
        yield


def count_own(user: User) -> int:
    return _own(user).count()


def _own(user: User) -> QuerySet[Conversation]:
    own: QuerySet[Conversation] = Conversation.objects.visible_to(user).lasting()
    return own.filter(owner=user).order_by("created_at", "pk")


def _told(user: User, conversation: Conversation) -> dict[str, Any]:
    messages = Message.objects.visible_to(user).filter(conversation=conversation)
    rows = messages.prefetch_related(citations_for(user)).order_by("pk")
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": conversation.pk,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "leaf_id": conversation.leaf_id,
        "attachments": [
            {"id": file.id, "name": file.name, "media_type": file.media_type, "size": file.size}
            for file in sent_to(user, conversation.pk)
        ],
        "messages": [MessageOut.from_orm(row).dict() | _on_the_way(row) for row in rows],
    }


def _on_the_way(message: Message) -> dict[str, Any]:
    """What was said to an answer while it was written, and to whom it was handed over."""
    found = {"notes": notes_in(message.steps), "handed_over": handed_in(message.steps)}
    return {name: told for name, told in found.items() if told}


def _written(user: User, conversation: Conversation) -> str:
    parts = [f"# {conversation.title or _('New chat')}"]
    for shown in list_thread(conversation, user):
        message = shown.message
        is_question = message.role == Message.Role.USER
        parts.append(f"## {_('You') if is_question else _('Answer')}")
        if shown.attachments:
            names = ", ".join(file.name for file in shown.attachments)
            parts.append(_("*Attached: %(names)s*") % {"names": names})
        parts += [_quoted(note) for note in notes_in(message.steps)]
        parts += [_handed(one) for one in handed_in(message.steps)]
        parts.append(message.text.strip())
        if notice := notice_of(message):
            parts.append(f"*{notice}*")
        if sources := [_source(citation) for citation in message.citations.all()]:
            parts.append("\n".join(sources))
    return "\n\n".join(part for part in parts if part) + "\n"


def _quoted(note: str) -> str:
    """What the person said while the answer was written."""
    lines = [_("**You added:**"), *note.splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _handed(told: dict[str, Any]) -> str:
    who = _("Handed over to %(name)s") % {"name": told["name"]}
    return f"*{who}: {' '.join(told['reason'].split())}*"


def _source(citation: Citation) -> str:
    """One line: the number, where it stands, and the words."""
    headings = [heading for heading in citation.heading_path if heading != citation.title]
    place = " › ".join([citation.title, *headings])
    if citation.page:
        place += ", " + _("page %(page)s") % {"page": citation.page}
    if citation.lines:
        place += ", " + _("lines %(first)s–%(last)s") % dict(
            zip(("first", "last"), citation.lines, strict=True)
        )
    if citation.is_proposed:
        place += " (" + _("proposed by Parley") + ")"
    quote = " ".join(citation.quote.split())
    return f"- [{citation.n}] {place}: “{quote}”"
