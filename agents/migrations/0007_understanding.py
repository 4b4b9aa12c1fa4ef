from typing import ClassVar

from django.db import migrations, models

import knowledge.switches


class Migration(migrations.Migration):
    """What an agent says of the ways questions are understood."""

    dependencies: ClassVar = [("agents", "0006_reuse")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="agent",
            name="understanding",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="As usual: nothing is said here. A no of the agent or of a collection "
                "counts most.",
                validators=[knowledge.switches.validate_switches],
                verbose_name="understanding questions",
            ),
        ),
    ]
