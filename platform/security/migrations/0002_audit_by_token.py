from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """What was done with a token is found without reading the whole log."""

    dependencies: ClassVar = [("security", "0001_audit_log")]

    operations: ClassVar = [
        migrations.RunSQL(
            "create index audit_token on audit_entry (token_id, id) where token_id is not null",
            "drop index audit_token",
        ),
    ]
