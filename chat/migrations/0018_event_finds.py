from typing import ClassVar

from django.db import migrations

# Expression and condition are those of `chat.retention.scrubbing`.
INDEX = """
create index concurrently event_finds on event
using gin (jsonb_path_query_array(payload, '$.**.document_id'))
where kind in ('citation_added', 'retrieval_completed', 'attachments_read', 'query_searched')
"""
OLD_INDEX = """
create index concurrently event_sources on event
using gin (jsonb_path_query_array(payload, '$.**.document_id'))
where kind in ('citation_added', 'retrieval_completed', 'attachments_read')
"""
DROP = "drop index concurrently if exists event_finds"
DROP_OLD = "drop index concurrently if exists event_sources"


class Migration(migrations.Migration):
    """Finds the events that tell of a document, of what one of several queries found too."""

    atomic = False

    dependencies: ClassVar = [("chat", "0017_proof")]

    operations: ClassVar = [
        # What an interrupted attempt left is not valid, and in the way.
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        migrations.RunSQL(INDEX, DROP),
        migrations.RunSQL(DROP_OLD, OLD_INDEX),
    ]
