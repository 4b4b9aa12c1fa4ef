from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """The request explorer finds what is rare among millions of calls."""

    dependencies: ClassVar = [("gateway", "0004_routing")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="usage",
            index=models.Index(fields=["model_name", "-id"], name="usage_model"),
        ),
        migrations.AddIndex(
            model_name="usage",
            index=models.Index(fields=["endpoint_name", "-id"], name="usage_endpoint"),
        ),
        migrations.AddIndex(
            model_name="usage",
            index=models.Index(
                fields=["outcome", "-id"],
                condition=models.Q(("outcome", "completed"), _negated=True),
                name="usage_not_completed",
            ),
        ),
        migrations.AddIndex(
            model_name="usage",
            index=models.Index(
                fields=["-id"], condition=models.Q(("attempt__gt", 1)), name="usage_repeated"
            ),
        ),
    ]
