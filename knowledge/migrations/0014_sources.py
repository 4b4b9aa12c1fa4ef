import django.db.models.deletion
import security.ids
from django.conf import settings
from django.db import migrations, models


# Of documents and collections that a reader may not see, nobody learns where they come from.
POLICIES = """
create policy reading on knowledge_sourceitem for select
    using (exists (select from knowledge_source s where s.id = source_id));
create policy reading on knowledge_syncrun for select
    using (exists (select from knowledge_source s where s.id = source_id));
alter table knowledge_sourceitem enable row level security;
alter table knowledge_syncrun enable row level security;
"""
DROP = """
alter table knowledge_sourceitem disable row level security;
alter table knowledge_syncrun disable row level security;
drop policy reading on knowledge_sourceitem;
drop policy reading on knowledge_syncrun;
"""


class Migration(migrations.Migration):
    """Sources besides uploads: what they are, what every visit brought, what became of each item."""

    dependencies = [
        ("knowledge", "0013_places"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SourceItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.UUIDField()),
                ("external_id", models.TextField(verbose_name="name at the source")),
                ("title", models.CharField(blank=True, max_length=300, verbose_name="title")),
                ("address", models.TextField(blank=True, verbose_name="address")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("present", "there"),
                            ("failed", "failed"),
                            ("missing", "gone"),
                            ("left_out", "left out"),
                        ],
                        default="present",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("may_try_again", models.BooleanField(default=False)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("mark", models.CharField(blank=True, max_length=200)),
                ("etag", models.CharField(blank=True, max_length=300)),
                ("last_modified", models.CharField(blank=True, max_length=64)),
                ("commit", models.CharField(blank=True, max_length=64)),
                ("links", models.JSONField(blank=True, default=list)),
                (
                    "missing_since",
                    models.DateTimeField(blank=True, null=True, verbose_name="gone since"),
                ),
                ("seen_in", models.UUIDField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "verbose_name": "item of a source",
                "verbose_name_plural": "items of sources",
            },
        ),
        migrations.CreateModel(
            name="SyncRun",
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
                ("is_preview", models.BooleanField(default=False)),
                ("is_scheduled", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("succeeded", "finished"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                ("job_id", models.UUIDField(blank=True, null=True)),
                ("added", models.IntegerField(default=0, verbose_name="added")),
                ("changed", models.IntegerField(default=0, verbose_name="changed")),
                ("unchanged", models.IntegerField(default=0, verbose_name="unchanged")),
                ("removed", models.IntegerField(default=0, verbose_name="removed")),
                ("failed", models.IntegerField(default=0, verbose_name="failed")),
                ("total", models.IntegerField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("sample", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
            ],
            options={
                "verbose_name": "sync",
                "verbose_name_plural": "syncs",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="source",
            name="added_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="cursor",
            field=models.JSONField(blank=True, db_default={}, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="source",
            name="grace_days",
            field=models.SmallIntegerField(db_default=7, default=7, verbose_name="days of grace"),
        ),
        migrations.AddField(
            model_name="source",
            name="is_leaving",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="source",
            name="is_paused",
            field=models.BooleanField(db_default=False, default=False, verbose_name="paused"),
        ),
        migrations.AddField(
            model_name="source",
            name="next_run_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next run"),
        ),
        migrations.AddField(
            model_name="source",
            name="schedule",
            field=models.CharField(
                choices=[
                    ("manual", "only when asked"),
                    ("hourly", "every hour"),
                    ("daily", "every day"),
                    ("weekly", "every week"),
                ],
                db_default="manual",
                default="manual",
                max_length=8,
                verbose_name="schedule",
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="secret",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="source",
            name="secret_hint",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name="source",
            name="settings",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="settings"
            ),
        ),
        migrations.AlterField(
            model_name="source",
            name="kind",
            field=models.CharField(
                choices=[
                    ("upload", "upload"),
                    ("folder", "folder on the server"),
                    ("git", "Git repository"),
                    ("web", "website"),
                    ("feed", "feed"),
                    ("api", "other program"),
                ],
                default="upload",
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="source",
            index=models.Index(
                condition=models.Q(("next_run_at__isnull", False)),
                fields=["next_run_at"],
                name="source_due",
            ),
        ),
        migrations.AddField(
            model_name="sourceitem",
            name="document",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="items",
                to="knowledge.document",
            ),
        ),
        migrations.AddField(
            model_name="sourceitem",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="knowledge.source",
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs",
                to="knowledge.source",
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="started_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="sourceitem",
            index=models.Index(fields=["source", "state", "id"], name="items_by_state"),
        ),
        migrations.AddIndex(
            model_name="sourceitem",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)),
                fields=["missing_since"],
                name="items_missing",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourceitem",
            constraint=models.UniqueConstraint(fields=("source", "key"), name="one_item_a_name"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["source", "-id"], name="syncs_of_a_source"),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["queued", "running", "paused"])),
                fields=("source",),
                name="one_sync_at_a_time",
            ),
        ),
        migrations.RunSQL(POLICIES, DROP),
    ]
