"""What somebody may read right now, in one number: it changes with every document and every right.

Whatever was made of the documents of one state must not be used in another.
"""

from collections.abc import Collection as Some
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts.models import User
from knowledge.models import Collection, Document

# A hash of each document in 64 bits, and their sum: in any order the same.
STATE = """
select count(*), coalesce(sum(uuid_hash_extended(
           id, uuid_hash_extended(collection_id, hashtextextended(sha256, version)))), 0),
       count(*) filter (where id = any(%s)),
       (select count(*) from knowledge_chunk where id = any(%s))
from ({documents}) as readable
where %s::uuid[] is null or collection_id = any(%s)
"""
SOMEBODY = UUID(int=0)  # in whose place the person comes


def knowledge_state(
    user: User | AnonymousUser,
    collections: Sequence[UUID] | None = None,
    *,
    documents: Some[UUID] = (),
    chunks: Some[UUID] = (),
) -> str | None:
    """Of the documents that `user` may read in these collections, else in all of theirs.

    The same for two people exactly when they may read the same documents in the same versions.
    None when they may not read all of these documents any more, or one of the chunks is gone: what
    was found before belongs to no state that can be told now.

    One statement and no second lock: nothing that it reads is given to anybody.
    """
    if not isinstance(user, User) or not user.is_active:
        return None if documents else "0:0"
    sql, parameters = _readable()
    person = [user.pk if value == SOMEBODY else value for value in parameters]
    scope = None if collections is None else list(collections)
    found = [list(set(documents)), list(set(chunks))]
    with connection.cursor() as cursor:
        cursor.execute(STATE.format(documents=sql), [*found, *person, scope, scope])
        count, total, still_readable, still_there = cursor.fetchone()
    is_as_found = (still_readable, still_there) == (len(found[0]), len(found[1]))
    return f"{count}:{total}" if is_as_found else None


@cache
def _readable() -> tuple[str, tuple[Any, ...]]:
    """The query of what somebody may read: written once, since that takes longer than asking it."""
    somebody = User(pk=SOMEBODY, is_active=True)
    visible = Collection.objects.visible_to(somebody)
    readable = Document.objects.filter(collection__in=visible, status=Document.Status.READY)
    columns = readable.order_by().values("id", "collection_id", "version", "sha256")
    return columns.query.sql_with_params()
