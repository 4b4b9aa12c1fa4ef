from typing import ClassVar

import pgvector.django
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

STATES = (
    "update knowledge_embeddingversion set state = case when is_active then 'active'"
    " else 'retired' end",
    "update knowledge_embeddingversion set is_active = (state = 'active')",
)


class Migration(migrations.Migration):
    """Embedding versions have a state and a storage. No row of the large table is touched: the check
    on it is made for new rows, and validated by the next migration without keeping anybody out."""

    dependencies: ClassVar = [("knowledge", "0016_passage_edits")]

    operations: ClassVar = [
        migrations.AddField(
            "embeddingversion",
            "storage",
            models.CharField(
                choices=[
                    ("float", "float, 4 bytes a number"),
                    ("half", "half, 2 bytes a number"),
                    ("binary", "binary, then exact re-ranking"),
                ],
                db_default="half",
                default="half",
                max_length=6,
                verbose_name="storage",
            ),
        ),
        migrations.AddField(
            "embeddingversion",
            "state",
            models.CharField(
                choices=[
                    ("filling", "being filled"),
                    ("ready", "ready"),
                    ("active", "searched"),
                    ("retired", "kept"),
                    ("dropping", "being dropped"),
                ],
                db_default="filling",
                default="filling",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            "embeddingversion",
            "probe",
            pgvector.django.HalfVectorField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            "embeddingversion",
            "chosen_over",
            models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.AddField(
            "embeddingversion",
            "rate",
            models.FloatField(
                blank=True,
                help_text="While it was filled, lately.",
                null=True,
                verbose_name="passages a second",
            ),
        ),
        migrations.RemoveConstraint("embeddingversion", "one_active_embedding_version"),
        migrations.RunSQL(*STATES),
        migrations.RemoveField("embeddingversion", "is_active"),
        migrations.AddField(
            "embeddingversion",
            "is_active",
            models.GeneratedField(
                db_persist=True,
                expression=models.Q(("state", "active")),
                output_field=models.BooleanField(),
                verbose_name="searched",
            ),
        ),
        migrations.AddConstraint(
            "embeddingversion",
            models.UniqueConstraint(
                condition=models.Q(("state", "active")),
                fields=("state",),
                name="one_active_embedding_version",
            ),
        ),
        migrations.AlterField(
            "embeddingversion", "model", models.CharField(max_length=120, verbose_name="model")
        ),
        migrations.AlterField(
            "embeddingversion", "dimensions", models.IntegerField(verbose_name="dimensions")
        ),
        migrations.AlterField(
            "embeddingversion",
            "is_multilingual",
            models.BooleanField(default=False, verbose_name="multilingual"),
        ),
        migrations.AlterField(
            "embeddingversion",
            "created_at",
            models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AddField("embedding", "precise", pgvector.django.VectorField(null=True)),
        migrations.AlterField("embedding", "vector", pgvector.django.HalfVectorField(null=True)),
        AddConstraintNotValid(
            "embedding",
            models.CheckConstraint(
                condition=models.Q(("vector", None), ("precise", None), _connector="XOR"),
                name="one_form_of_a_vector",
            ),
        ),
        migrations.CreateModel(
            name="StorageMeasurement",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=120, verbose_name="model")),
                ("dimensions", models.IntegerField(verbose_name="dimensions")),
                ("sample", models.IntegerField(verbose_name="passages measured")),
                (
                    "rate",
                    models.FloatField(blank=True, null=True, verbose_name="passages a second"),
                ),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                ("measured_at", models.DateTimeField(auto_now_add=True, verbose_name="measured")),
            ],
            options={
                "verbose_name": "measurement of storage",
                "verbose_name_plural": "measurements of storage",
                "ordering": ["-pk"],
            },
        ),
    ]
