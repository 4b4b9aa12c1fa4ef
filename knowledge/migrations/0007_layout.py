from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0006_shelves")]

    operations = [
        migrations.AddField(
            model_name="documenttext",
            name="layout",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
