from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a model sees images."""

    dependencies = [("gateway", "0002_base_url_names")]

    operations = [
        migrations.AddField(
            model_name="model",
            name="has_vision",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Images attached to a question are sent to it. “Test connection” tries it.",
                verbose_name="sees images",
            ),
        ),
    ]
