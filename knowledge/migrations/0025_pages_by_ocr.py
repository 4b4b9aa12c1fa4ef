from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """Pages whose words were read from their pictures."""

    dependencies: ClassVar = [("knowledge", "0024_s3")]

    operations: ClassVar = [
        migrations.AddField(
            "documenttext",
            "pages_by_ocr",
            ArrayField(models.IntegerField(), blank=True, null=True, editable=False),
        )
    ]
