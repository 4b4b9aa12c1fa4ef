from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce, Lower

NUMBERS = ("same_text", "like_a", "like_b", "like_c")
INDEXES = (
    models.Index(fields=["collection", "-updated_at", "-id"], name="document_updated"),
    models.Index(models.F("collection"), Lower("title"), models.F("id"), name="document_title"),
    models.Index(fields=["collection", "-size", "-id"], name="document_size"),
    models.Index(
        models.F("collection"), Coalesce("version_at", "created_at"), name="document_renewed"
    ),
    *(
        models.Index(
            fields=["collection", name],
            condition=models.Q(**{f"{name}__isnull": False}),
            name=f"document_{name}",
        )
        for name in NUMBERS
    ),
)


class Migration(migrations.Migration):
    """What is excluded from search, which texts are alike, and the orders of curators' lists."""

    atomic = False  # indexes are made beside the work

    dependencies: ClassVar = [("knowledge", "0018_one_form_of_a_vector")]

    operations: ClassVar = [
        migrations.AddField(
            "document",
            "excluded_at",
            models.DateTimeField(blank=True, editable=False, null=True),
        ),
        *(
            migrations.AddField(
                "document", name, models.BigIntegerField(blank=True, editable=False, null=True)
            )
            for name in NUMBERS
        ),
        *(AddIndexConcurrently("document", index) for index in INDEXES),
    ]
