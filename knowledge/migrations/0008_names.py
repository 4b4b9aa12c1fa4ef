import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """What people call texts, vectors and columns; the tables stay as they are."""

    dependencies = [
        ("knowledge", "0007_layout"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="documenttext",
            options={
                "verbose_name": "text of a document",
                "verbose_name_plural": "texts of documents",
            },
        ),
        migrations.AlterModelOptions(
            name="embedding",
            options={
                "verbose_name": "vector of a passage",
                "verbose_name_plural": "vectors of passages",
            },
        ),
        migrations.AlterField(
            model_name="document",
            name="added_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="added by",
            ),
        ),
        migrations.AlterField(
            model_name="document",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="documents",
                to="knowledge.collection",
                verbose_name="collection",
            ),
        ),
    ]
