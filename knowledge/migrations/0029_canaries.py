from django.db import migrations, models


class Migration(migrations.Migration):
    """Collections may alarm when what a model was shown of them is copied."""

    dependencies = [("knowledge", "0028_kept_questions")]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="canary_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
