from typing import ClassVar

from django.db import migrations

# Expression and condition are those of `chat.retention.scrubbing`.
INDEX = """
create index concurrently event_documents on event
using gin (jsonb_path_query_array(payload, '$.**.document_id'))
where kind in ('citation_added', 'retrieval_completed')
"""
DROP = "drop index concurrently if exists event_documents"


class Migration(migrations.Migration):
    """Finds the events that tell of a document; built while the house is in use."""

    atomic = False

    dependencies: ClassVar = [
        ("chat", "0005_folders"),
        ("events", "0002_compaction"),
    ]

    operations: ClassVar = [
        # What an interrupted attempt left is not valid, and in the way.
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        migrations.RunSQL(INDEX, DROP),
    ]
