from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """Passages say what repeats above them, in which line they begin and in which language they
    are; texts, which of their pages hold none. Old rows are not rewritten."""

    dependencies = [("knowledge", "0012_figures_read")]

    operations = [
        migrations.AddField(
            model_name="chunk",
            name="head",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="chunk",
            name="line",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="chunk",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="documenttext",
            name="pages_without_text",
            field=ArrayField(models.IntegerField(), blank=True, editable=False, null=True),
        ),
    ]
