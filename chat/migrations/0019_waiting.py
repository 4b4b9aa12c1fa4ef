from django.db import migrations, models


class Migration(migrations.Migration):
    """Turns wait for a person."""

    dependencies = [("chat", "0018_event_finds"), ("events", "0004_waiting")]

    operations = [
        migrations.AlterField(
            model_name="turn",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("running", "running"),
                    ("waiting", "waiting for a person"),
                    ("completed", "completed"),
                    ("stopped", "stopped"),
                    ("interrupted", "interrupted"),
                    ("failed", "failed"),
                ],
                default="queued",
                max_length=11,
                verbose_name="status",
            ),
        ),
    ]
