from django.db import migrations, models

METHODS = [
    ("exact", "word for word"),
    ("fuzzy", "nearly word for word"),
    ("differs", "the same words, but for a number or a “not”"),
    ("words", "in other words"),
    ("meaning", "similar in meaning"),
    ("passage", "the passage as a whole"),
]


class Migration(migrations.Migration):
    """Citations say how their words were found and in which lines of a program; answers, how many
    of their sentences a source stands behind."""

    dependencies = [("chat", "0016_turn_without")]

    operations = [
        migrations.AddField("citation", "line", models.IntegerField(blank=True, null=True)),
        migrations.AddField(
            "citation",
            "method",
            models.CharField(blank=True, choices=METHODS, db_default="", max_length=8),
        ),
        migrations.AddField("citation", "score", models.FloatField(blank=True, null=True)),
        migrations.AddField("citation", "at", models.IntegerField(blank=True, null=True)),
        migrations.AddField(
            "citation", "is_proposed", models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            "message",
            "claims",
            models.PositiveSmallIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            "message",
            "supported",
            models.PositiveSmallIntegerField(blank=True, editable=False, null=True),
        ),
    ]
