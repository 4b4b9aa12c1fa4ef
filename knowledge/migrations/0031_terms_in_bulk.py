import django.contrib.postgres.indexes
from django.db import migrations

# New rows wait in a short list, which searches read too, and go into the index together: half of
# what Postgres did for a passage was to put its terms there one by one, and two thirds of what it
# wrote ahead. Of 512 kB a search reads 64 pages more at the most. The index is not made anew.
IN_BULK = "alter index chunk_terms set (fastupdate = on, gin_pending_list_limit = 512)"
ONE_BY_ONE = """
alter index chunk_terms set (fastupdate = off);
alter index chunk_terms reset (gin_pending_list_limit);
select gin_clean_pending_list('chunk_terms');
"""


class Migration(migrations.Migration):
    """The terms of passages are indexed many at a time."""

    dependencies = [("knowledge", "0030_fewer_look_ups")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(IN_BULK, ONE_BY_ONE)],
            state_operations=[
                migrations.RemoveIndex(model_name="chunk", name="chunk_terms"),
                migrations.AddIndex(
                    model_name="chunk",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fields=["terms"],
                        fastupdate=True,
                        gin_pending_list_limit=512,
                        name="chunk_terms",
                    ),
                ),
            ],
        )
    ]
