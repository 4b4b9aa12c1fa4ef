"""What somebody may read right now, in one number: it changes with every document and every right.

Whatever was made of the documents of one state must not be used in another.
"""

from collections.abc import Collection as Some
from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts.models import User
from knowledge.retrieval.allowed import SOMEBODY, readable
from observability.postgres.prepared import prepared

# Rights are asked each time; what is in a collection is summed up where it changes, in the same
# transaction (`ContentSum`): so this takes as long for ten documents as for a million.
STATE = """
with mine as materialized (
    select id from ({collections}) as readable (id, home)
    where %s::uuid[] is null or home = any(%s::uuid[])
)
select coalesce(sum(s.documents), 0), coalesce(sum(s.total), 0),
       (select count(*) from knowledge_document d
        where d.id = any(%s::uuid[]) and d.status = 'ready'
          and (case when d.is_apart then d.id else d.collection_id end) in (select id from mine)),
       (select count(*) from knowledge_chunk where id = any(%s::uuid[]))
from mine join knowledge_contentsum s on s.collection_id = mine.id
"""
MOST_ROWS = 8  # of a collection, before they are made one
AT_ONCE = 500  # collections

# Who reads meanwhile sees the rows before or the row after; rows that come meanwhile stay.
FOLD = """
with many as (
    select collection_id from knowledge_contentsum
    group by collection_id having count(*) > %s limit %s
), gone as (
    delete from knowledge_contentsum where collection_id in (select collection_id from many)
    returning collection_id, documents, total
), kept as (
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, sum(documents), sum(total)
    from gone group by collection_id
)
select count(*) from gone
"""


def knowledge_state(
    user: User | AnonymousUser,
    collections: Sequence[UUID] | None = None,
    *,
    documents: Some[UUID] = (),
    chunks: Some[UUID] = (),
) -> str | None:
    """Of the documents that `user` may read in these collections, else in all of theirs.

    The same for two people exactly when they may read the same documents in the same versions, as
    curators left them. None when they may not read all of these documents any more, or one of the
    chunks is gone: what was found before belongs to no state that can be told now.

    One statement and no second lock: nothing that it reads is given to anybody.
    """
    if not isinstance(user, User) or not user.is_active:
        return None if documents else "0:0"
    sql, parameters = readable()
    person = [user.pk if value == SOMEBODY else value for value in parameters]
    scope = None if collections is None else list(collections)
    found = [list(set(documents)), list(set(chunks))]
    with prepared() as cursor:
        cursor.execute(STATE.format(collections=sql), [*person, scope, scope, *found])
        count, total, still_readable, still_there = cursor.fetchone()
    is_as_found = (still_readable, still_there) == (len(found[0]), len(found[1]))
    return f"{count}:{total}" if is_as_found else None


def fold() -> int:
    """For the clock: what came to a collection becomes one row; how many rows did."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [MOST_ROWS, AT_ONCE])
        count: int = cursor.fetchone()[0]
        return count
