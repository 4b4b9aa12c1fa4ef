from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """An answer may go on from one that broke off; what was demanded stays demanded."""

    dependencies: ClassVar = [("chat", "0011_event_sources")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="conversation",
            name="demanded_labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                db_default=[],
                default=list,
                editable=False,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="turn",
            name="continues",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
    ]
