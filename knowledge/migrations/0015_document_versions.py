import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

POLICY = """
create policy reading on knowledge_documentversion for select
    using (exists (select from knowledge_document d where d.id = document_id));
alter table knowledge_documentversion enable row level security;
create policy reading on knowledge_versiontext for select
    using (exists (select from knowledge_documentversion v where v.id = version_id));
alter table knowledge_versiontext enable row level security;
alter table knowledge_reading enable row level security;
"""
NO_POLICY = """
alter table knowledge_reading disable row level security;
alter table knowledge_versiontext disable row level security;
drop policy reading on knowledge_versiontext;
alter table knowledge_documentversion disable row level security;
drop policy reading on knowledge_documentversion;
"""
ON_GONE = django.db.models.deletion.SET_NULL
WITH_DOCUMENT = django.db.models.deletion.CASCADE


def nobody() -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        blank=True, editable=False, null=True, on_delete=ON_GONE, related_name="+",
        to=settings.AUTH_USER_MODEL,
    )  # fmt: skip


def words(length: int) -> models.CharField:  # type: ignore[type-arg]
    return models.CharField(blank=True, db_default="", default="", max_length=length)


class Migration(migrations.Migration):
    """Versions of documents, what is kept of reading them, and what their steps were made of.

    No row is rewritten: a document that is there is version 1 of itself.
    """

    dependencies = [
        ("knowledge", "0014_sources"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="paused_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="paused"
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="file_id",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="document",
            name="version_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(model_name="document", name="version_by", field=nobody()),
        migrations.AddField(model_name="document", name="version_note", field=words(200)),
        migrations.AddField(
            model_name="document",
            name="version_number",
            field=models.IntegerField(db_default=1, default=1, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="documenttext",
            name="kept",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(model_name="documenttext", name="read_of", field=words(64)),
        migrations.AddField(model_name="documenttext", name="reader", field=words(40)),
        migrations.AddField(model_name="stage", name="input_hash", field=words(64)),
        migrations.AddField(model_name="stage", name="step_version", field=words(40)),
        migrations.AddField(
            model_name="stage",
            name="is_kept",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="document",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "waiting"), ("running", "indexing"), ("ready", "ready"),
                    ("failed", "failed"), ("paused", "paused"),
                ],
                default="queued", max_length=8, verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="stage",
            name="name",
            field=models.CharField(
                choices=[
                    ("fetch", "fetching"), ("extract", "reading"), ("clean", "cleaning"),
                    ("chunk", "splitting"), ("enrich", "enriching"), ("embed", "embedding"),
                    ("load", "saving"),
                ],
                max_length=10, verbose_name="stage",
            ),
        ),
        migrations.CreateModel(
            name="DocumentVersion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField(verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"), ("past", "replaced"), ("failed", "failed"),
                        ],
                        max_length=8, verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("file_id", models.UUIDField(editable=False)),
                ("file_name", models.CharField(max_length=255, verbose_name="file name")),
                ("media_type", models.CharField(max_length=100, verbose_name="type")),
                ("size", models.BigIntegerField(verbose_name="size, bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("page_count", models.IntegerField(blank=True, null=True, verbose_name="pages")),
                (
                    "language",
                    models.CharField(blank=True, max_length=10, verbose_name="language"),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("made_at", models.DateTimeField(verbose_name="added")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=ON_GONE, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="added by",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=WITH_DOCUMENT, related_name="versions", to="knowledge.document"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=ON_GONE, related_name="+",
                        to="knowledge.source",
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a document",
                "verbose_name_plural": "versions of documents",
                "ordering": ["document", "-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("document", "number"), name="one_version_per_number"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")), fields=("document",),
                        name="one_waiting_version",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionText",
            fields=[
                (
                    "version",
                    models.OneToOneField(
                        on_delete=WITH_DOCUMENT, primary_key=True, related_name="extracted",
                        serialize=False, to="knowledge.documentversion",
                    ),
                ),
                ("text", models.TextField()),
                ("layout", models.JSONField(blank=True, null=True)),
                ("kept", models.BinaryField(blank=True, null=True)),
                ("read_of", models.CharField(blank=True, max_length=64)),
                ("reader", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "verbose_name": "text of a version",
                "verbose_name_plural": "texts of versions",
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("read_of", models.CharField(max_length=64)),
                ("reader", models.CharField(max_length=40)),
                ("kept", models.BinaryField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=WITH_DOCUMENT, related_name="+", to="knowledge.document"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("document", "read_of"), name="one_reading_of_a_file"
                    )
                ],
            },
        ),
        migrations.RunSQL(POLICY, NO_POLICY),
    ]  # fmt: skip
