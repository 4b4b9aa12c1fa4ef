from typing import ClassVar

from django.db import migrations, models

# What was applied names the version that was searched when it was measured: "3:bge-m3:1024:half".
TELL = r"""
update knowledge_searchweights w set embedder = coalesce((
    select regexp_replace(t.settings ->> 'embedder', '^[0-9]+:(.*):[0-9]+:[a-z]+$', '\1')
    from knowledge_qualitytuning t
    where t.collection_id = w.collection_id and t.state = 'applied'
    order by t.id desc limit 1), '')
"""


class Migration(migrations.Migration):
    """Tuned shares of vectors and thresholds count for the model they were measured with."""

    dependencies: ClassVar = [("knowledge", "0034_counts_without_parts")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="searchweights",
            name="embedder",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=120,
                verbose_name="embedding model",
            ),
        ),
        migrations.RunSQL(TELL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="qualityrun",
            name="cause",
            field=models.CharField(
                choices=[
                    ("hand", "started by hand"),
                    ("schedule", "on schedule"),
                    ("command", "from the command line"),
                    ("content", "the documents changed"),
                    ("chunker", "passages are split otherwise"),
                    ("analyzer", "words are read otherwise"),
                    ("embedder", "another embedding version"),
                    ("weights", "other weights"),
                    ("glossary", "the glossary changed"),
                    ("prompt", "another prompt"),
                    ("questions", "the questions changed"),
                    ("gate", "before a change"),
                ],
                max_length=9,
                verbose_name="cause",
            ),
        ),
    ]
