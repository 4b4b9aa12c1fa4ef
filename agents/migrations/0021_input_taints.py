from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """What a run had come upon when it made a call."""

    dependencies = [("agents", "0020_revocations")]

    operations = [
        migrations.AddField(
            model_name="toolexecution",
            name="input_taints",
            field=ArrayField(
                base_field=models.CharField(max_length=16), db_default=[], default=list, size=None,
                verbose_name="taints of what it was given",
            ),
        ),
    ]
