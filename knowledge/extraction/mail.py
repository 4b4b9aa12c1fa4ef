"""EML and mbox: who wrote to whom, when and about what, the words, and what attached files say."""

import email
import email.policy
import mailbox
from collections.abc import Iterator
from contextlib import closing
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from knowledge.extraction.attached import Attachments, Read
from knowledge.extraction.decoding import decode
from knowledge.extraction.figures import Figures
from knowledge.extraction.html import decode_html, read_html
from knowledge.extraction.plain import add_text
from knowledge.extraction.reasons import NESTED, NO_MAIL, ExtractionFailed
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

PEOPLE = ("From", "To", "Cc", "Date")
LONGEST_HEADER = 4_000  # characters: who else a message went to by the thousand is left out
DEEPEST = 5  # messages attached to messages
MOST_PARTS = 1_000
PARTS_DEEP = 50


def extract_eml(path: Path, read: Read) -> Extracted:
    """`read` is for the files that are attached."""
    builder = TextBuilder()
    title = _add(builder, _parse(path.read_bytes()), 1, Attachments(read))
    return builder.extracted(title)


def extract_mbox(path: Path, read: Read) -> Extracted:
    """Every message a section; raises `ExtractionFailed` where there is none."""
    builder, attachments = TextBuilder(), Attachments(read)
    with closing(mailbox.mbox(path, create=False)) as box:
        for key in box.iterkeys():
            _add(builder, _parse(box.get_bytes(key)), 1, attachments)
    if not builder.blocks:
        raise ExtractionFailed(NO_MAIL)
    return builder.extracted()


def _parse(data: bytes) -> EmailMessage:
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
    except RecursionError as error:
        raise ExtractionFailed(NESTED) from error
    if not any(_header(message, name) for name in (*PEOPLE, "Subject")):
        raise ExtractionFailed(NO_MAIL)
    return message


def _add(builder: TextBuilder, message: EmailMessage, depth: int, attachments: Attachments) -> str:
    """Append a message, and what is attached to it one level deeper; return its subject."""
    subject = _header(message, "Subject")
    builder.add(BlockKind.HEADING, subject or _header(message, "Date"), level=depth)
    people = ((name, _header(message, name)) for name in PEOPLE)
    builder.add(BlockKind.PARAGRAPH, "\n".join(f"{name}: {said}" for name, said in people if said))
    try:
        parts = [*_parts(message)]
    except (RecursionError, AssertionError, ValueError, LookupError) as error:
        raise ExtractionFailed(NESTED) from error
    body = _body(parts)
    if body is not None:
        _add_body(builder, body)
    others = [part for part in parts if part is not body]
    builder.add(BlockKind.LIST, "\n".join(f"- {name}" for name in map(_name, others) if name))
    for part in others:
        inner = part.get_payload() if part.get_content_type() == "message/rfc822" else None
        if depth < DEEPEST and isinstance(inner, list) and inner:
            _add(builder, cast("EmailMessage", inner[0]), depth + 1, attachments)
        elif name := _name(part):
            attachments.add(builder, name, _bytes(part), depth + 1)
    return subject


def _parts(message: EmailMessage, depth: int = 0) -> Iterator[EmailMessage]:
    """Those that hold something themselves; messages inside are not looked into."""
    if depth > PARTS_DEEP:
        raise ExtractionFailed(NESTED)
    if message.get_content_maintype() != "multipart":
        yield message
        return
    payload = message.get_payload()
    for part in (payload if isinstance(payload, list) else [])[:MOST_PARTS]:
        yield from _parts(cast("EmailMessage", part), depth + 1)


def _body(parts: list[EmailMessage]) -> EmailMessage | None:
    """The first text that is no attachment: plain, or else a page."""
    texts = [part for part in parts if part.get_content_disposition() != "attachment"]
    for kind in ("text/plain", "text/html"):
        for part in texts:
            if part.get_content_type() == kind and _bytes(part).strip():
                return part
    return None


def _add_body(builder: TextBuilder, part: EmailMessage) -> None:
    charset = str(part.get_param("charset") or "")
    if part.get_content_type() == "text/html":
        read_html(decode_html(_bytes(part), charset), builder, Figures())
    else:
        add_text(builder, decode(_bytes(part), charset))


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _name(part: EmailMessage) -> str:
    """What an attachment is called; other views of the same words have no name."""
    try:
        return " ".join((part.get_filename() or "").split())[:255]
    except (ValueError, LookupError):
        return ""


def _header(message: EmailMessage, name: str) -> str:
    """As it is read by people. Taken raw: parsing addresses takes forever where there are many."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    line = " ".join(str(raw)[:LONGEST_HEADER].split())
    try:
        return str(make_header(decode_header(line)))
    except (HeaderParseError, LookupError, ValueError):
        return line.encode("ascii", "replace").decode()
