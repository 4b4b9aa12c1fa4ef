from django.db import migrations, models


class Migration(migrations.Migration):
    """What people call the columns of jobs; the table stays as it is."""

    dependencies = [("events", "0002_compaction")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="created"),
        ),
        migrations.AlterField(
            model_name="job",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="finished"),
        ),
        migrations.AlterField(
            model_name="job",
            name="reason",
            field=models.TextField(blank=True, verbose_name="reason"),
        ),
        migrations.AlterField(
            model_name="job",
            name="stage",
            field=models.CharField(blank=True, max_length=32, verbose_name="stage"),
        ),
        migrations.AlterField(
            model_name="job",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("running", "running"),
                    ("succeeded", "succeeded"),
                    ("failed", "failed"),
                    ("cancelled", "cancelled"),
                ],
                default="queued",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="task",
            field=models.CharField(
                help_text="Dotted path of the function it runs.",
                max_length=200,
                verbose_name="task",
            ),
        ),
    ]
