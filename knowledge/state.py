"""What somebody may read right now, in one number: it changes with every document and every right.

Whatever was made of the documents of one state must not be used in another.
"""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection

from accounts.models import User
from knowledge.models import Collection, Document
from security.reading import second_lock

STATE = """
select count(*), coalesce(sum(
    hashtextextended(concat_ws(':', id, collection_id, version, sha256), 0)::numeric), 0)
from ({documents}) as readable
"""


@second_lock
def knowledge_state(user: User | AnonymousUser, collections: Sequence[UUID] | None = None) -> str:
    """Of the documents that `user` may read in these collections, else in all of theirs.

    The same for two people exactly when they may read the same documents in the same versions.
    """
    visible = Collection.objects.visible_to(user)
    if collections is not None:
        visible = visible.filter(pk__in=list(collections))
    readable = Document.objects.filter(collection__in=visible, status=Document.Status.READY)
    columns = readable.order_by().values("id", "collection_id", "version", "sha256")
    try:
        sql, parameters = columns.query.sql_with_params()
    except EmptyResultSet:
        return "0:0"
    with connection.cursor() as cursor:
        cursor.execute(STATE.format(documents=sql), parameters)
        count, total = cursor.fetchone()
    return f"{count}:{total}"
