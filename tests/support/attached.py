"""Attachments for tests: uploaded as a person does, and read as a worker does it."""

import io

from PIL import Image

from accounts.models import User
from events import jobs
from knowledge import shelves
from knowledge.models import Document

OFFER = "# Offer\n\nThe roof costs 12,400 euros. Work begins on 3 March and takes nine days.\n"


def picture(color: str = "teal", size: tuple[int, int] = (64, 48)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, color).save(target, "PNG")
    return target.getvalue()


def attach(user: User, content: bytes | str = OFFER, name: str = "offer.md") -> Document:
    data = content.encode() if isinstance(content, str) else content
    return shelves.attach(user, io.BytesIO(data), name)


def read(document: Document) -> Document:
    """What the worker does with it."""
    jobs.run(str(document.job_id))
    return Document.objects.select_related("collection").get(pk=document.pk)


def attached(user: User, content: bytes | str = OFFER, name: str = "offer.md") -> Document:
    return read(attach(user, content, name))
