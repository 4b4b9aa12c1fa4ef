from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0012_purpose_enrichment"),
    ]

    operations = [
        migrations.AlterField(
            model_name="usage",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("chat", "answers"),
                    ("title", "titles"),
                    ("memory", "memory"),
                    ("complexity", "choice of a model"),
                    ("embedding", "vectors"),
                    ("rerank", "reranking"),
                    ("rewriting", "understanding questions"),
                    ("enrichment", "enrichment"),
                    ("api", "programs"),
                    ("probe", "tests"),
                    ("other", "other work"),
                ],
                db_default="chat",
                default="chat",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="usageday",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("chat", "answers"),
                    ("title", "titles"),
                    ("memory", "memory"),
                    ("complexity", "choice of a model"),
                    ("embedding", "vectors"),
                    ("rerank", "reranking"),
                    ("rewriting", "understanding questions"),
                    ("enrichment", "enrichment"),
                    ("api", "programs"),
                    ("probe", "tests"),
                    ("other", "other work"),
                ],
                db_default="chat",
                default="chat",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="usagehour",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("chat", "answers"),
                    ("title", "titles"),
                    ("memory", "memory"),
                    ("complexity", "choice of a model"),
                    ("embedding", "vectors"),
                    ("rerank", "reranking"),
                    ("rewriting", "understanding questions"),
                    ("enrichment", "enrichment"),
                    ("api", "programs"),
                    ("probe", "tests"),
                    ("other", "other work"),
                ],
                db_default="chat",
                default="chat",
                max_length=12,
            ),
        ),
    ]
