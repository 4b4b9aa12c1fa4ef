"""How often answers cite a document's passages: numbers for those who look after the document.

They say nothing of who asked, where, or when. Temporary conversations, which leave nothing behind,
and deleted ones are not counted.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from chat.models import Citation
from knowledge.curation.cited import Span

COUNT = """
select wanted.n - 1, count(distinct cited.message_id)
from unnest(%s::int[], %s::int[]) with ordinality as wanted (low, high, n)
join chat_citation cited on cited.document_id = %s
     and cited.start < wanted.high and cited."end" > wanted.low
join knowledge_document d on d.id = cited.document_id and d.version_number = cited.version
join chat_message answer on answer.id = cited.message_id
join chat_conversation c on c.id = answer.conversation_id
     and c.deleted_at is null and c.ends_at is null
group by wanted.n
"""


def count_citations(document_id: UUID, spans: Sequence[Span]) -> list[int]:
    """In how many answers something of each span of the present version is cited; one query."""
    counts = [0] * len(spans)
    if not spans:
        return counts
    lows, highs = zip(*spans, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(lows), list(highs), document_id])
        for n, count in cursor.fetchall():
            counts[n] = count
    return counts


def is_cited(document_id: str, version: str = "") -> Any:
    """Whether an answer cites the document whose id is in this field of the outer query; in the
    version whose number is in that one, if it is given."""
    kept = {"message__conversation__deleted_at": None, "message__conversation__ends_at": None}
    which = {"version": OuterRef(version)} if version else {}
    return Exists(Citation.objects.filter(document=OuterRef(document_id), **which, **kept))
