from typing import Any, ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Now

BATCH = 1_000


def mark_jobs(apps: Any, schema_editor: Any) -> None:
    """Jobs that have ended have nothing to join; each batch commits on its own."""
    streams = apps.get_model("events", "Stream").objects
    due = streams.filter(kind="job", state="closed", compacted_at=None).order_by("created_at")
    while found := list(due.values_list("pk", flat=True)[:BATCH]):
        streams.filter(pk__in=found).update(compacted_at=Now())


class Migration(migrations.Migration):
    """Made for a house that is in use: no lock is held for longer than a moment."""

    atomic = False

    dependencies: ClassVar = [("events", "0001_initial")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="stream",
            name="compacted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        AddIndexConcurrently(
            model_name="stream",
            index=models.Index(
                condition=models.Q(("compacted_at", None), ("state", "closed")),
                fields=["created_at"],
                name="stream_uncompacted",
            ),
        ),
        migrations.RunPython(mark_jobs, migrations.RunPython.noop),
    ]
