"""What of an export is files: those the person uploaded, as they were."""

from collections.abc import Iterator
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import orjson
from django.db.models import Q, QuerySet

from accounts.models import User
from knowledge import storage
from knowledge.document_access.selectors import homes_of
from knowledge.models import Collection, Document

PIECE = 256 * 1024


def write_files(user: User, archive: ZipFile) -> Iterator[int]:
    """`files/`: each under its collection, as far as they may still see it; `files.json` lists
    them, `collections.json` the collections they made."""
    rows = uploaded_by(user)
    yield rows.count() + 2
    homes = homes_of(user, rows.filter(is_apart=True).values_list("pk", flat=True))
    listed = []
    for document in rows.iterator(chunk_size=200):
        # Who has the document alone is told nothing of its collection.
        is_alone = document.is_apart and document.pk not in homes
        home = document.title if is_alone else document.collection.name
        place = _place(document, home)
        listed.append(
            {
                "file": place,
                "id": document.pk,
                "title": document.title,
                "collection": home,
                "added": document.created_at,
            }
        )
        _copy(document, place, archive)
        yield 1
    archive.writestr("files.json", orjson.dumps(listed, option=orjson.OPT_INDENT_2))
    yield 1
    made = Collection.objects.filter(owner=user, is_shelf=False).order_by("pk")
    told = list(made.values("id", "name", "description", "created_at", "updated_at"))
    archive.writestr("collections.json", orjson.dumps(told, option=orjson.OPT_INDENT_2))
    yield 1


def uploaded_by(user: User) -> QuerySet[Document]:
    """What they added, in collections that they may see or own."""
    seen = Document.objects.visible_to(user).values("pk")
    mine = Q(collection__owner=user) | Q(pk__in=seen)
    rows = Document.objects.filter(mine, added_by=user, discarded_at=None)
    return rows.select_related("collection").order_by("pk")


def _place(document: Document, home: str) -> str:
    """Names from people are no paths; the end of the id tells files of one name apart."""
    folder, name = (
        "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in text).strip(". ")
        for text in (home[:120], document.file_name)
    )
    return f"files/{folder or 'collection'}/{str(document.pk)[-6:]} {name or 'file'}"


def _copy(document: Document, place: str, archive: ZipFile) -> None:
    """As it is: most files are packed already. One that is gone from the disk is left out."""
    info = ZipInfo(place, document.created_at.timetuple()[:6])
    info.compress_type = ZIP_STORED
    try:
        source = storage.path_of(document.stored_id).open("rb")
    except FileNotFoundError:
        return
    with source, archive.open(info, "w", force_zip64=True) as target:
        while piece := source.read(PIECE):
            target.write(piece)
