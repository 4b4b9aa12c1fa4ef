from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """How many characters were removed because a reader could not see them."""

    dependencies: ClassVar = [("knowledge", "0004_deleted_documents")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="document",
            name="invisible_count",
            field=models.IntegerField(db_default=0, default=0, verbose_name="invisible characters removed"),
        ),
    ]
