from typing import ClassVar

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import security.ids

# What hangs on a collection is read by those who read the collection; parts, by those who read
# what they are parts of, and the document they quote.
POLICIES = """
create policy reading on knowledge_goldenquestion for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
create policy reading on knowledge_qualityrun for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
create policy reading on knowledge_approvedanswer for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
create policy reading on knowledge_expectedpassage for select
    using (exists (select from knowledge_goldenquestion q where q.id = question_id)
           and exists (select from knowledge_document d where d.id = document_id));
create policy reading on knowledge_qualityresult for select
    using (exists (select from knowledge_qualityrun r where r.id = run_id));
create policy reading on knowledge_approvedwording for select
    using (exists (select from knowledge_approvedanswer a where a.id = answer_id));
create policy reading on knowledge_approvedsource for select
    using (exists (select from knowledge_approvedanswer a where a.id = answer_id)
           and exists (select from knowledge_document d where d.id = document_id));
alter table knowledge_goldenquestion enable row level security;
alter table knowledge_qualityrun enable row level security;
alter table knowledge_approvedanswer enable row level security;
alter table knowledge_expectedpassage enable row level security;
alter table knowledge_qualityresult enable row level security;
alter table knowledge_approvedwording enable row level security;
alter table knowledge_approvedsource enable row level security;
-- By which k1 and b the passages of a collection are weighed; null: by the house's.
alter table lexical_statistics add column k1 real, add column b real;
"""
UNDONE = "alter table lexical_statistics drop column k1, drop column b;"


class Migration(migrations.Migration):
    """Golden questions, what was measured with them, and what people decided by it."""

    dependencies: ClassVar = [
        ("knowledge", "0020_content_sums"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="QualityPlan",
            fields=[
                (
                    "collection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="quality_plan",
                        serialize=False,
                        to="knowledge.collection",
                    ),
                ),
                (
                    "schedule",
                    models.CharField(
                        choices=[
                            ("none", "only after changes"),
                            ("daily", "every day"),
                            ("weekly", "every week"),
                        ],
                        default="none",
                        max_length=6,
                        verbose_name="asked",
                    ),
                ),
                ("asks_answers", models.BooleanField(default=False, verbose_name="answers too")),
                ("seen", models.JSONField(default=dict, editable=False)),
                ("changed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("next_run_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "plan of golden questions",
                "verbose_name_plural": "plans of golden questions",
            },
        ),
        migrations.CreateModel(
            name="ApprovedAnswer",
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
                ("question", models.TextField(verbose_name="question")),
                ("text", models.TextField(verbose_name="answer")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="added")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approved_answers",
                        to="knowledge.collection",
                        verbose_name="collection",
                    ),
                ),
            ],
            options={
                "verbose_name": "approved answer",
                "verbose_name_plural": "approved answers",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ApprovedSource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("quote", models.TextField(blank=True, verbose_name="quote")),
                ("start", models.IntegerField(default=0)),
                (
                    "answer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="knowledge.approvedanswer",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="knowledge.document",
                    ),
                ),
            ],
            options={
                "verbose_name": "source of an approved answer",
                "verbose_name_plural": "sources of approved answers",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="GoldenQuestion",
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
                ("text", models.TextField(verbose_name="question")),
                ("key", models.CharField(editable=False, max_length=64)),
                (
                    "script",
                    models.CharField(
                        choices=[("latin", "Latin"), ("cjk", "Chinese")],
                        editable=False,
                        max_length=5,
                    ),
                ),
                (
                    "must_find_nothing",
                    models.BooleanField(default=False, verbose_name="must find nothing"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "to review"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                        ],
                        default="accepted",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("written", "written here"),
                            ("imported", "imported"),
                            ("feedback", "from feedback"),
                            ("message", "from an answer"),
                            ("search", "from the search test"),
                            ("model", "proposed by a model"),
                        ],
                        default="written",
                        max_length=8,
                        verbose_name="origin",
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=300, verbose_name="note"
                    ),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="added")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="added by",
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="golden_questions",
                        to="knowledge.collection",
                        verbose_name="collection",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "golden question",
                "verbose_name_plural": "golden questions",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ExpectedPassage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("quote", models.TextField(blank=True, verbose_name="quote")),
                ("start", models.IntegerField(default=0)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="knowledge.document",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="expected",
                        to="knowledge.goldenquestion",
                    ),
                ),
            ],
            options={
                "verbose_name": "expected passage",
                "verbose_name_plural": "expected passages",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="QualityRun",
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
                    "cause",
                    models.CharField(
                        choices=[
                            ("hand", "started by hand"),
                            ("schedule", "on schedule"),
                            ("command", "from the command line"),
                            ("content", "the documents changed"),
                            ("chunker", "passages are split otherwise"),
                            ("analyzer", "words are read otherwise"),
                            ("embedder", "another embedding version"),
                            ("weights", "other weights"),
                            ("prompt", "another prompt"),
                            ("questions", "the questions changed"),
                            ("gate", "before a change"),
                        ],
                        max_length=9,
                        verbose_name="cause",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("settings", models.JSONField(default=dict, verbose_name="settings")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                ("questions", models.IntegerField(default=0, verbose_name="questions")),
                ("asks_answers", models.BooleanField(default=False, verbose_name="answers too")),
                ("job_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="knowledge.qualityrun",
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quality_runs",
                        to="knowledge.collection",
                        verbose_name="collection",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="knowledge.embeddingversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "run of golden questions",
                "verbose_name_plural": "runs of golden questions",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="QualityResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rank", models.IntegerField(blank=True, null=True, verbose_name="rank")),
                ("ndcg", models.FloatField(blank=True, null=True, verbose_name="nDCG")),
                (
                    "is_quiet",
                    models.BooleanField(blank=True, null=True, verbose_name="found nothing"),
                ),
                ("supported", models.FloatField(blank=True, null=True, verbose_name="supported")),
                ("found", models.JSONField(default=list, verbose_name="found")),
                ("took_ms", models.FloatField(default=0)),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="results",
                        to="knowledge.goldenquestion",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="results",
                        to="knowledge.qualityrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "result of a golden question",
                "verbose_name_plural": "results of golden questions",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="QualityTuning",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("ready", "ready"),
                            ("applied", "applied"),
                            ("reverted", "taken back"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("proposed", models.JSONField(default=dict, verbose_name="proposed")),
                ("replaced", models.JSONField(default=dict, verbose_name="replaced")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                ("settings", models.JSONField(default=dict)),
                ("job_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                (
                    "applied_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tunings",
                        to="knowledge.collection",
                    ),
                ),
            ],
            options={
                "verbose_name": "tuning of a search",
                "verbose_name_plural": "tunings of searches",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SearchWeights",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "script",
                    models.CharField(
                        choices=[("latin", "Latin"), ("cjk", "Chinese")],
                        max_length=5,
                        verbose_name="script",
                    ),
                ),
                (
                    "dense",
                    models.FloatField(blank=True, null=True, verbose_name="share of vectors"),
                ),
                ("threshold", models.FloatField(blank=True, null=True, verbose_name="threshold")),
                (
                    "rerank_depth",
                    models.IntegerField(blank=True, null=True, verbose_name="depth of re-ranking"),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_weights",
                        to="knowledge.collection",
                    ),
                ),
            ],
            options={
                "verbose_name": "weights of a search",
                "verbose_name_plural": "weights of searches",
            },
        ),
        migrations.CreateModel(
            name="ApprovedWording",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("text", models.TextField(verbose_name="question")),
                ("key", models.CharField(db_index=True, editable=False, max_length=64)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), editable=False, size=None
                    ),
                ),
                (
                    "answer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="wordings",
                        to="knowledge.approvedanswer",
                    ),
                ),
            ],
            options={
                "verbose_name": "wording of an approved question",
                "verbose_name_plural": "wordings of approved questions",
                "ordering": ["id"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["terms"], name="approved_terms"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="goldenquestion",
            constraint=models.UniqueConstraint(
                fields=("collection", "key"), name="one_golden_question_each"
            ),
        ),
        migrations.AddIndex(
            model_name="qualityrun",
            index=models.Index(
                fields=["collection", "state", "-id"], name="quality_run_of_collection"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityresult",
            constraint=models.UniqueConstraint(
                fields=("run", "question"), name="one_result_of_a_question"
            ),
        ),
        migrations.AddConstraint(
            model_name="searchweights",
            constraint=models.UniqueConstraint(
                fields=("collection", "script"), name="one_weight_of_a_script"
            ),
        ),
        migrations.RunSQL(POLICIES, UNDONE),
    ]
