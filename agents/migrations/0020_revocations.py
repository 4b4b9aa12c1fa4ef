from django.db import migrations, models

import security.ids


class Migration(migrations.Migration):
    """Tokens of accounts that are gone, until their server has taken them back."""

    dependencies = [("agents", "0019_step_shown")]

    operations = [
        migrations.CreateModel(
            name="McpRevocation",
            fields=[
                ("id", models.UUIDField(default=security.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("server_name", models.CharField(max_length=200)),
                ("secret", models.BinaryField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "tokens to be taken back",
                "verbose_name_plural": "tokens to be taken back",
            },
        ),
    ]
