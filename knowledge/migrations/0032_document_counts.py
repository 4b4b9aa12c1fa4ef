from typing import ClassVar

from django.db import migrations, models

# As with `ContentSum` (0020): triggers, since documents also go with their collection and its
# owner, and rows that are added, so that nobody waits for anybody's lock.
KEEP = """
create function parley_count_added_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, count(*), sum(chunk_count), sum(size)
    from added group by collection_id, status;
    return null;
end $$;
create function parley_count_gone_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, -count(*), -sum(chunk_count), -sum(size)
    from gone group by collection_id, status;
    return null;
end $$;
create function parley_count_changed_document() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, sum(documents), sum(passages), sum(bytes) from (values
        (old.collection_id, old.status, -1, -old.chunk_count, -old.size),
        (new.collection_id, new.status, 1, new.chunk_count, new.size)
    ) as changed (collection_id, status, documents, passages, bytes)
    group by collection_id, status;
    return null;
end $$;
create function parley_forget_document_counts() returns trigger language plpgsql as $$
begin
    delete from knowledge_documentcount where collection_id in (select id from gone);
    return null;
end $$;
create trigger count_added after insert on knowledge_document
    referencing new table as added for each statement
    execute function parley_count_added_documents();
create trigger count_gone after delete on knowledge_document
    referencing old table as gone for each statement
    execute function parley_count_gone_documents();
create trigger count_changed after update of status, collection_id, chunk_count, size
    on knowledge_document for each row
    when ((old.status, old.collection_id, old.chunk_count, old.size)
          is distinct from (new.status, new.collection_id, new.chunk_count, new.size))
    execute function parley_count_changed_document();
create trigger forget_counts after delete on knowledge_collection
    referencing old table as gone for each statement
    execute function parley_forget_document_counts();
lock table knowledge_document in share row exclusive mode;
"""
COUNT = """
insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, count(*), sum(chunk_count), sum(size)
    from knowledge_document group by collection_id, status;
"""
KEEP_NO_MORE = """
drop trigger count_added on knowledge_document;
drop trigger count_gone on knowledge_document;
drop trigger count_changed on knowledge_document;
drop trigger forget_counts on knowledge_collection;
drop function parley_count_added_documents();
drop function parley_count_gone_documents();
drop function parley_count_changed_document();
drop function parley_forget_document_counts();
"""
POLICY = """
create policy reading on knowledge_documentcount for select
    using (collection_id = any ((select parley_collections())::uuid[]));
alter table knowledge_documentcount enable row level security;
"""


class Migration(migrations.Migration):
    """How many documents a collection has in which state is known without counting them."""

    dependencies: ClassVar = [("knowledge", "0031_terms_in_bulk")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="DocumentCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("collection_id", models.UUIDField(db_index=True)),
                ("status", models.CharField(max_length=8)),
                ("documents", models.BigIntegerField()),
                ("passages", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(KEEP + COUNT, KEEP_NO_MORE),
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
    ]
