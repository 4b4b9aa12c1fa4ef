from typing import ClassVar

from django.db import migrations, models

KINDS = [
    ("collection", "collection"), ("agent", "agent"), ("conversation", "conversation"),
    ("saved_prompt", "saved prompt"),
]  # fmt: skip


class Migration(migrations.Migration):
    """Shortcuts of a single key and the first steps can be switched off; prompts are shared."""

    dependencies: ClassVar = [("accounts", "0002_second_lock")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="has_key_shortcuts",
            field=models.BooleanField(
                db_default=True, default=True, verbose_name="shortcuts of a single key"
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="has_first_steps",
            field=models.BooleanField(
                db_default=True, default=True, verbose_name="shows the first steps"
            ),
        ),
        migrations.AlterField(
            model_name="grant",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=12, verbose_name="kind"),
        ),
    ]
