from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Pictures stay with the version whose text they stand in."""

    dependencies: ClassVar = [("knowledge", "0025_pages_by_ocr")]

    operations: ClassVar = [
        migrations.AddField(
            "figure",
            "version",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="figures",
                to="knowledge.documentversion",
            ),
        ),
        migrations.RemoveConstraint("figure", "one_figure_per_number"),
        migrations.AddConstraint(
            "figure",
            models.UniqueConstraint(
                fields=["document", "number"],
                condition=models.Q(version=None),
                name="one_figure_per_number",
            ),
        ),
        migrations.AddConstraint(
            "figure",
            models.UniqueConstraint(fields=["version", "number"], name="one_figure_of_a_version"),
        ),
    ]
