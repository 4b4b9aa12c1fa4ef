from importlib import import_module
from typing import ClassVar

from django.db import migrations

# Documents with readers of their own are counted for each reader (`knowledge.counts`), who may not
# even know of the others.
KEEP = """
lock table knowledge_document, knowledge_documentcount in share row exclusive mode;
create or replace function parley_count_added_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, count(*), sum(chunk_count), sum(size)
    from added where not is_apart group by collection_id, status;
    return null;
end $$;
create or replace function parley_count_gone_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, -count(*), -sum(chunk_count), -sum(size)
    from gone where not is_apart group by collection_id, status;
    return null;
end $$;
create or replace function parley_count_changed_document() returns trigger language plpgsql as $$
begin
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, sum(documents), sum(passages), sum(bytes) from (values
        (old.is_apart, old.collection_id, old.status, -1, -old.chunk_count, -old.size),
        (new.is_apart, new.collection_id, new.status, 1, new.chunk_count, new.size)
    ) as changed (is_apart, collection_id, status, documents, passages, bytes)
    where not is_apart group by collection_id, status;
    return null;
end $$;
create or replace trigger count_changed
    after update of status, collection_id, chunk_count, size, is_apart
    on knowledge_document for each row
    when (not (old.is_apart and new.is_apart)
          and (old.status, old.collection_id, old.chunk_count, old.size, old.is_apart) is distinct
              from (new.status, new.collection_id, new.chunk_count, new.size, new.is_apart))
    execute function parley_count_changed_document();
delete from knowledge_documentcount;
"""
COUNT = """
insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, count(*), sum(chunk_count), sum(size)
    from knowledge_document where not is_apart group by collection_id, status;
"""
_COUNTS = import_module("knowledge.migrations.0032_document_counts")
BACK = f"""
{_COUNTS.KEEP_NO_MORE}
delete from knowledge_documentcount;
{_COUNTS.KEEP}
{_COUNTS.COUNT}
"""


class Migration(migrations.Migration):
    """Counts of a collection hold what each of its readers may see; its other documents come to
    them for those who may."""

    dependencies: ClassVar = [("knowledge", "0033_document_excluded")]

    operations: ClassVar = [migrations.RunSQL(KEEP + COUNT, BACK)]
