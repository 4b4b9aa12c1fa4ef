from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """People's pictures."""

    dependencies: ClassVar = [("accounts", "0005_labels")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="portrait_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Portrait",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="portrait",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("data", models.BinaryField()),
            ],
        ),
    ]
