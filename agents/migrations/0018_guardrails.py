from django.db import migrations, models

import security.ids


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0017_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="guardrails",
            field=models.JSONField(
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                verbose_name="guardrails",
            ),
        ),
        migrations.CreateModel(
            name="InstalledGuardrail",
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
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=10, help_text="Lower ones are asked first.", verbose_name="position"
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("rule", models.JSONField(editable=False, verbose_name="rule")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "verbose_name": "guardrail",
                "verbose_name_plural": "guardrails",
                "ordering": ["position", "id"],
            },
        ),
    ]
