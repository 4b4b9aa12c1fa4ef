from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for a sentence as it is kept. Of a text without a bound nothing is written anew."""

    dependencies = [("gateway", "0010_token_ratios")]

    operations = [
        migrations.AlterField(
            model_name="usage",
            name=name,
            field=models.TextField(blank=True, default="", db_default=""),
        )
        for name in ("why", "detail")
    ]
