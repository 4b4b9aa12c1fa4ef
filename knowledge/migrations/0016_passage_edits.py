from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import security.ids

POLICY = """
create policy reading on knowledge_passageedit for select
    using (exists (select from knowledge_document d where d.id = document_id));
alter table knowledge_passageedit enable row level security;
"""


class Migration(migrations.Migration):
    """What curators change in passages, and which passages are theirs."""

    dependencies: ClassVar = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("knowledge", "0015_document_versions"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="chunk",
            name="piece_id",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="PassageEdit",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("split", "split"),
                            ("merge", "merged"),
                            ("exclude", "excluded"),
                            ("correct", "corrected"),
                            ("add", "added"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "applied"),
                            ("lost", "could not be re-applied"),
                            ("undone", "undone"),
                        ],
                        default="applied",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("targets", models.JSONField(default=list)),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("at", models.IntegerField(blank=True, null=True)),
                ("pieces", models.JSONField(default=list)),
                ("replaced", models.JSONField(default=list)),
                ("start", models.IntegerField(default=0)),
                ("end", models.IntegerField(default=0)),
                ("text_start", models.IntegerField(blank=True, null=True)),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="knowledge.document",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "edit of a passage",
                "verbose_name_plural": "edits of passages",
                "ordering": ["id"],
            },
        ),
        migrations.RunSQL(POLICY, "drop policy reading on knowledge_passageedit;"),
    ]
