import django.db.models.deletion
from django.db import migrations, models

POLICY = """
create policy reading on knowledge_figure for select
    using (exists (select from knowledge_document d where d.id = document_id));
alter table knowledge_figure enable row level security;
"""


class Migration(migrations.Migration):
    """Pictures inside documents, for the view that shows them as in their files."""

    dependencies = [("knowledge", "0008_names")]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("data", models.BinaryField()),
                ("media_type", models.CharField(max_length=20)),
                ("width", models.IntegerField()),
                ("height", models.IntegerField()),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="figures",
                        to="knowledge.document",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="figure",
            constraint=models.UniqueConstraint(
                fields=("document", "number"), name="one_figure_per_number"
            ),
        ),
        migrations.RunSQL(POLICY, "drop policy reading on knowledge_figure;"),
    ]
