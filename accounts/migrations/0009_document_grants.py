from typing import ClassVar

from django.db import migrations, models

KINDS = [
    ("collection", "collection"), ("agent", "agent"), ("conversation", "conversation"),
    ("saved_prompt", "saved prompt"), ("document", "document"),
]  # fmt: skip


class Migration(migrations.Migration):
    """A document may be shared by itself."""

    dependencies: ClassVar = [("accounts", "0008_lean_holds")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="grant",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=12, verbose_name="kind"),
        ),
    ]
