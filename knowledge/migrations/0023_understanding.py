from typing import ClassVar

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import knowledge.switches
import security.ids

POLICY = """
create policy reading on knowledge_glossaryentry for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
alter table knowledge_glossaryentry enable row level security;
"""


class Migration(migrations.Migration):
    """What a collection says of the ways questions are understood, and its glossary."""

    dependencies: ClassVar = [("knowledge", "0022_enrichment")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="collection",
            name="understanding",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="As usual: nothing is said here. A no of the agent or of a collection "
                "counts most.",
                validators=[knowledge.switches.validate_switches],
                verbose_name="understanding questions",
            ),
        ),
        migrations.CreateModel(
            name="GlossaryEntry",
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
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), size=None, verbose_name="words"
                    ),
                ),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=160), editable=False, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="added")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="glossary",
                        to="knowledge.collection",
                        verbose_name="collection",
                    ),
                ),
            ],
            options={
                "verbose_name": "glossary entry",
                "verbose_name_plural": "glossary entries",
                "ordering": ["id"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["keys"], name="glossary_keys")
                ],
            },
        ),
        migrations.RunSQL(POLICY, "drop policy reading on knowledge_glossaryentry;"),
    ]
