from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """An import knows its messages again: what has grown there grows here."""

    dependencies: ClassVar = [("chat", "0012_continued")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="import", name="grown", field=models.IntegerField(db_default=0, default=0)
        ),
        migrations.AddField(
            model_name="importedconversation",
            name="messages",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="importedconversation", name="leaf_id", field=models.UUIDField(null=True)
        ),
        migrations.AddField(
            model_name="importedconversation", name="grown_by", field=models.UUIDField(null=True)
        ),
    ]
