import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """Which attachments a question has: documents on shelves, by their ids."""

    dependencies = [
        ("chat", "0009_links_temporary_imports"),
        ("knowledge", "0006_shelves"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="attachments",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
    ]
