from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The few pinned conversations of somebody are found without looking at all of theirs."""

    atomic = False  # the index is made beside the work

    dependencies: ClassVar = [("chat", "0019_waiting")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                fields=["owner", "-updated_at"],
                condition=models.Q(is_pinned=True),
                name="conversation_pinned",
            ),
        ),
    ]
