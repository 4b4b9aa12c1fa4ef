import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import security.ids


class Migration(migrations.Migration):
    """Drafts that golden questions are asked of before they are published."""

    dependencies = [
        ("agents", "0022_decoding"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Publication",
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
                ("revision", models.PositiveIntegerField()),
                ("basis", models.PositiveIntegerField()),
                ("number", models.PositiveIntegerField(default=0, verbose_name="version")),
                ("content", models.JSONField()),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asking", "being compared"),
                            ("held", "held back"),
                            ("failed", "failed"),
                            ("published", "published"),
                        ],
                        default="asking",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                ("job_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                (
                    "agent",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="publication",
                        to="agents.agent",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "publication of an agent",
                "verbose_name_plural": "publications of agents",
            },
        ),
    ]
