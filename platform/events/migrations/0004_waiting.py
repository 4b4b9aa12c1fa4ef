from django.db import migrations, models


class Migration(migrations.Migration):
    """Streams wait for a person."""

    dependencies = [("events", "0003_names")]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="is_woken",
            field=models.BooleanField(db_default=False, default=False, verbose_name="woken"),
        ),
        migrations.AlterField(
            model_name="stream",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("running", "running"),
                    ("waiting", "waiting for a person"),
                    ("closed", "closed"),
                ],
                default="queued",
                max_length=8,
            ),
        ),
    ]
