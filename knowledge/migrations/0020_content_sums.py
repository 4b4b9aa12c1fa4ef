from typing import ClassVar

from django.db import migrations, models

import security.ids

# Triggers and no services: documents also go with their collection and its owner. What is summed
# up is what `knowledge.state` calls the state of a collection.
KEEP = """
create function parley_document_hash(id uuid, collection_id uuid, sha256 text, version int)
returns bigint language sql immutable as $$
    select uuid_hash_extended(id, uuid_hash_extended(collection_id,
                                                     hashtextextended(sha256, version)))
$$;
create function parley_sum_added_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, count(*),
           sum(parley_document_hash(id, collection_id, sha256, version))
    from added where status = 'ready' group by collection_id;
    return null;
end $$;
create function parley_sum_gone_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, -count(*),
           -sum(parley_document_hash(id, collection_id, sha256, version))
    from gone where status = 'ready' group by collection_id;
    return null;
end $$;
create function parley_sum_changed_document() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, sum(documents), sum(total) from (
        select old.collection_id, -1 as documents, -parley_document_hash(
                   old.id, old.collection_id, old.sha256, old.version)::numeric as total
        where old.status = 'ready'
        union all
        select new.collection_id, 1, parley_document_hash(
                   new.id, new.collection_id, new.sha256, new.version)
        where new.status = 'ready'
    ) as changed group by collection_id;
    return null;
end $$;
create function parley_sum_changed_passage() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, 0, hashtextextended(new.state, 0)::numeric
           + uuid_hash_extended(new.id, 0)
    from knowledge_document where id = new.document_id;
    return null;
end $$;
create function parley_forget_content_sums() returns trigger language plpgsql as $$
begin
    delete from knowledge_contentsum where collection_id in (select id from gone);
    return null;
end $$;
create trigger sum_added after insert on knowledge_document
    referencing new table as added for each statement
    execute function parley_sum_added_documents();
create trigger sum_gone after delete on knowledge_document
    referencing old table as gone for each statement
    execute function parley_sum_gone_documents();
create trigger sum_changed after update of status, collection_id, sha256, version
    on knowledge_document for each row
    when ((old.status = 'ready' or new.status = 'ready')
          and (old.status, old.collection_id, old.sha256, old.version)
              is distinct from (new.status, new.collection_id, new.sha256, new.version))
    execute function parley_sum_changed_document();
create trigger sum_passage after insert or update of state on knowledge_passageedit
    for each row execute function parley_sum_changed_passage();
create trigger forget_sums after delete on knowledge_collection
    referencing old table as gone for each statement
    execute function parley_forget_content_sums();
lock table knowledge_document in share row exclusive mode;
insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), collection_id, count(*),
           sum(parley_document_hash(id, collection_id, sha256, version))
    from knowledge_document where status = 'ready' group by collection_id;
"""
KEEP_NO_MORE = """
drop trigger sum_added on knowledge_document;
drop trigger sum_gone on knowledge_document;
drop trigger sum_changed on knowledge_document;
drop trigger sum_passage on knowledge_passageedit;
drop trigger forget_sums on knowledge_collection;
drop function parley_sum_added_documents();
drop function parley_sum_gone_documents();
drop function parley_sum_changed_document();
drop function parley_sum_changed_passage();
drop function parley_forget_content_sums();
drop function parley_document_hash(uuid, uuid, text, int);
"""


class Migration(migrations.Migration):
    """What is in a collection is known without looking at each of its documents."""

    dependencies: ClassVar = [("knowledge", "0019_curators_lists")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ContentSum",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("collection_id", models.UUIDField(db_index=True)),
                ("documents", models.IntegerField()),
                ("total", models.DecimalField(decimal_places=0, max_digits=60)),
            ],
        ),
        migrations.RunSQL(KEEP, KEEP_NO_MORE),
    ]
