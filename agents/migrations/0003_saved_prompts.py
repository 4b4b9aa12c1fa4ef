from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import security.ids

POLICY = """
create policy reading on agents_savedprompt for select
    using (owner_id = (select parley_reader_id())
           or id = any ((select parley_granted('saved_prompt'))::uuid[]));
"""


class Migration(migrations.Migration):
    """Saved prompts, which readers get under a row policy."""

    dependencies: ClassVar = [
        ("agents", "0002_limits"),
        ("accounts", "0003_preferences"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SavedPrompt",
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
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("text", models.TextField(max_length=8000, verbose_name="text")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "deleted_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="deleted"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "saved prompt",
                "verbose_name_plural": "saved prompts",
                "ordering": ["name"],
                "indexes": [
                    models.Index(fields=["owner", "name"], name="saved_prompt_owner"),
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", False)),
                        fields=["deleted_at"],
                        name="saved_prompt_deleted",
                    ),
                ],
            },
        ),
        migrations.RunSQL(POLICY, "drop policy reading on agents_savedprompt"),
        migrations.RunSQL(
            "alter table agents_savedprompt enable row level security",
            "alter table agents_savedprompt disable row level security",
        ),
    ]
