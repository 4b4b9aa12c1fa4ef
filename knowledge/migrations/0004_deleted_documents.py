from typing import ClassVar

from django.db import migrations, models

# A trigger and not a service: documents also go with their collection and its owner.
REMEMBER = """
create function parley_remember_deleted_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_deleteddocument (id, deleted_at)
        select id, clock_timestamp() from gone on conflict do nothing;
    return null;
end $$;
create trigger remember_deleted after delete on knowledge_document
    referencing old table as gone for each statement
    execute function parley_remember_deleted_documents();
"""
FORGET = """
drop trigger remember_deleted on knowledge_document;
drop function parley_remember_deleted_documents();
"""


class Migration(migrations.Migration):
    """Deleted documents are remembered by their ids until everything of them is gone."""

    dependencies: ClassVar = [("knowledge", "0003_second_lock")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="DeletedDocument",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("deleted_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.RunSQL(REMEMBER, FORGET),
    ]
