from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models

import gateway.labels


class Migration(migrations.Migration):
    """The labels that it demands of whatever answers."""

    dependencies: ClassVar = [("accounts", "0004_settings_and_devices")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="team",
            name="required_labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                db_default=[],
                default=list,
                help_text="Separated by commas, as in “eu, confidential”. Only endpoints that have "
                "them all answer.",
                size=None,
                validators=[gateway.labels.validate_labels],
                verbose_name="demanded labels",
            ),
        ),
    ]
