from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """A question may be asked again without something that was recognised in its words."""

    dependencies: ClassVar = [("chat", "0015_citation_version")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="turn",
            name="without",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                size=None,
            ),
        ),
    ]
