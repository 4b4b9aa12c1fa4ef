from django.db import migrations, models


class Migration(migrations.Migration):
    """How an agent's model decodes, beside temperature and thinking."""

    dependencies = [("agents", "0021_input_taints")]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="decoding",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, editable=False, verbose_name="decoding"
            ),
        ),
    ]
