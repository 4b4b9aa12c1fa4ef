from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The few documents that are excluded from search are found without looking at the others."""

    atomic = False  # the index is made beside the work

    dependencies: ClassVar = [("knowledge", "0032_document_counts")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="document",
            index=models.Index(
                "collection",
                models.F("id").desc(),
                name="document_excluded",
                condition=models.Q(excluded_at__isnull=False),
            ),
        ),
    ]
