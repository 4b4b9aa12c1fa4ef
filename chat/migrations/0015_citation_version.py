from django.db import migrations, models


class Migration(migrations.Migration):
    """Citations say which version of the document they quote; until now every document had one."""

    dependencies = [("chat", "0014_turn_token"), ("knowledge", "0015_document_versions")]

    operations = [
        migrations.AddField(
            model_name="citation",
            name="version",
            field=models.IntegerField(db_default=1, default=1),
        ),
    ]
