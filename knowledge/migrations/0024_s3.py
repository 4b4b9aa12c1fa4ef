from typing import ClassVar

from django.db import migrations, models

KINDS = [
    ("upload", "upload"),
    ("folder", "folder on the server"),
    ("git", "Git repository"),
    ("web", "website"),
    ("feed", "feed"),
    ("s3", "S3 bucket"),
    ("api", "other program"),
]


class Migration(migrations.Migration):
    """Buckets are a kind of source."""

    dependencies: ClassVar = [("knowledge", "0023_understanding")]

    operations: ClassVar = [
        migrations.AlterField(
            "source",
            "kind",
            models.CharField(choices=KINDS, default="upload", max_length=16, verbose_name="kind"),
        )
    ]
