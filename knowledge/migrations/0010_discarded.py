import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Deleted documents wait on a withdrawn shelf until their deletion can no longer be undone."""

    dependencies = [("knowledge", "0009_figures")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="discarded_from",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="knowledge.collection",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="discarded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("discarded_at__isnull", False)),
                fields=["discarded_at"],
                name="document_discarded",
            ),
        ),
    ]
