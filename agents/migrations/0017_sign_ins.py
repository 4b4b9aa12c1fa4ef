from django.db import migrations, models


class Migration(migrations.Migration):
    """A call may wait for the person's account at its server, too."""

    dependencies = [("agents", "0016_run_notes")]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="kind",
            field=models.CharField(
                choices=[("call", "call"), ("sign_in", "sign-in")],
                db_default="call",
                default="call",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.RemoveConstraint(model_name="approval", name="one_approval_a_call"),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                fields=("run_id", "call_id", "kind", "attempt"), name="one_approval_a_call"
            ),
        ),
    ]
