from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import MD5, Lower

import security.ids

POLICY = """
create policy reading on agents_memory for select using (owner_id = (select parley_reader_id()));
"""


class Migration(migrations.Migration):
    """What the assistant remembers about people, each under a row policy."""

    dependencies: ClassVar = [
        ("agents", "0003_saved_prompts"),
        ("accounts", "0004_settings_and_devices"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Memory",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("text", models.CharField(max_length=500, verbose_name="text")),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("written", "written in settings"),
                            ("asked", "you asked for it"),
                            ("noticed", "you mentioned it"),
                        ],
                        default="written",
                        max_length=7,
                        verbose_name="origin",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memories",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "memory",
                "verbose_name_plural": "memories",
                "ordering": ["-updated_at"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("owner"), MD5(Lower("text")), name="one_memory_each"
                    )
                ],
            },
        ),
        migrations.RunSQL(POLICY, "drop policy reading on agents_memory"),
        migrations.RunSQL(
            "alter table agents_memory enable row level security",
            "alter table agents_memory disable row level security",
        ),
    ]
