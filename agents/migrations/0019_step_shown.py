from django.db import migrations, models


class Migration(migrations.Migration):
    """What readers are shown of a step whose words guardrails mask."""

    dependencies = [("agents", "0018_guardrails")]

    operations = [
        migrations.AddField(
            model_name="runstep",
            name="shown",
            field=models.TextField(blank=True, db_default=""),
        ),
    ]
