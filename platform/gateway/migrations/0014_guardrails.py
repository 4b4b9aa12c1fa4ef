from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0013_purpose_rewriting"),
    ]

    operations = [
        migrations.AlterField(
            model_name="model",
            name="kind",
            field=models.CharField(
                choices=[
                    ("chat", "chat"),
                    ("embedding", "embedding"),
                    ("rerank", "rerank"),
                    ("moderation", "moderation"),
                ],
                default="chat",
                max_length=10,
                verbose_name="kind",
            ),
        ),
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
                    ("guardrail", "guardrails"),
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
                    ("guardrail", "guardrails"),
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
                    ("guardrail", "guardrails"),
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
