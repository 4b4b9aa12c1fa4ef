from django.db import migrations


class Migration(migrations.Migration):
    """What people call texts and vectors; the tables stay as they are."""

    dependencies = [("knowledge", "0007_layout")]

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
    ]
