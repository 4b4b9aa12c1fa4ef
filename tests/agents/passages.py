"""Passages for tests that need no database."""

from uuid import UUID, uuid5

from knowledge.types import Passage

SPACE = UUID("0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d")
COLLECTION = uuid5(SPACE, "collection")


def passage(text, start=0, document="handbook", score=1.0, page=None):
    return Passage(
        chunk_id=uuid5(SPACE, f"{document} {start} {text}"),
        document_id=uuid5(SPACE, document),
        collection_id=COLLECTION,
        title=document.title(),
        heading_path=("Chapter",),
        text=text,
        start=start,
        end=start + len(text),
        page=page,
        score=score,
    )
