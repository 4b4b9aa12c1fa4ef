from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Three of them are three audit entries."""

    dependencies: ClassVar = [("security", "0002_audit_by_token")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "managed": False,
                "ordering": ["-id"],
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
            },
        ),
    ]
