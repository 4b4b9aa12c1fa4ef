from importlib import import_module
from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# What `Collection.parts_apart.visible_to` says, once more for the second lock. Whoever reads
# nothing that has parts, and has no document shared with them, pays for two look-ups in an index.
COLLECTIONS = """
create or replace function parley_collections() returns uuid[] language plpgsql stable security definer as $$
declare
    reader uuid := parley_reader_id();
    whole uuid[] := array(select id from knowledge_collection
                          where owner_id = reader and not is_shelf and part_of_id is null)
                    || parley_granted('collection');
    named uuid[] := parley_granted('document');
begin
    if named = '{}' and not exists (
        select from knowledge_collection where part_of_id is not null and part_of_id = any (whole))
    then
        return whole;
    end if;
    return whole || array(
        select p.id from knowledge_collection p join knowledge_collection c on c.id = p.part_of_id
        where p.part_of_id is not null and not p.is_withdrawn
          and (p.id = any (named)
               or p.part_of_id = any (whole)
                  and (not p.is_restricted or c.owner_id = reader
                       or exists (select from accounts_grant g
                                  where g.kind = 'collection' and g.object_id = c.id
                                    and g.role in ('editor', 'owner')
                                    and (g.user_id = reader or g.team_id in (
                                        select team_id from accounts_membership
                                        where user_id = reader
                                        union all
                                        select id from accounts_team where is_everyone))))));
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
"""
OLD_COLLECTIONS = """
create or replace function parley_collections() returns uuid[] language plpgsql stable security definer as $$
begin
    return array(select id from knowledge_collection
                 where owner_id = parley_reader_id() and not is_shelf)
           || parley_granted('collection');
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
"""
POLICY = """
drop policy reading on knowledge_document;
create policy reading on knowledge_document for select
    using ((case when is_apart then id else collection_id end)
           = any ((select parley_collections())::uuid[]));
"""
OLD_POLICY = """
drop policy reading on knowledge_document;
create policy reading on knowledge_document for select
    using (collection_id = any ((select parley_collections())::uuid[]));
"""
# Whoever changes these of a collection, its parts have them too.
FOLLOW = """
create function parley_parts_follow() returns trigger language plpgsql as $$
begin
    update knowledge_collection set owner_id = new.owner_id, required_labels = new.required_labels
    where part_of_id = new.id;
    return null;
end $$;
create trigger parts_follow after update of owner_id, required_labels on knowledge_collection
    for each row when (new.part_of_id is null
        and (old.owner_id, old.required_labels)
            is distinct from (new.owner_id, new.required_labels))
    execute function parley_parts_follow();
"""
# The sums of `knowledge.state`, each under the id that says who may read the document.
SUMS = """
create or replace function parley_sum_gone_documents() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), space, -count(*),
           -sum(parley_document_hash(id, space, sha256, version))
    from (select *, case when is_apart then id else collection_id end as space from gone) as it
    where status = 'ready' group by space;
    return null;
end $$;
create or replace function parley_sum_changed_document() returns trigger language plpgsql as $$
declare
    was uuid := case when old.is_apart then old.id else old.collection_id end;
    becomes uuid := case when new.is_apart then new.id else new.collection_id end;
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), space, sum(documents), sum(total) from (
        select was as space, -1 as documents, -parley_document_hash(
                   old.id, was, old.sha256, old.version)::numeric as total
        where old.status = 'ready'
        union all
        select becomes, 1, parley_document_hash(new.id, becomes, new.sha256, new.version)
        where new.status = 'ready'
    ) as changed group by space;
    return null;
end $$;
create or replace function parley_sum_changed_passage() returns trigger language plpgsql as $$
begin
    insert into knowledge_contentsum (id, collection_id, documents, total)
    select gen_random_uuid(), case when is_apart then id else collection_id end, 0,
           hashtextextended(new.state, 0)::numeric + uuid_hash_extended(new.id, 0)
    from knowledge_document where id = new.document_id;
    return null;
end $$;
drop trigger sum_changed on knowledge_document;
create trigger sum_changed after update of status, collection_id, sha256, version, is_apart
    on knowledge_document for each row
    when ((old.status = 'ready' or new.status = 'ready')
          and (old.status, old.collection_id, old.sha256, old.version, old.is_apart) is distinct
              from (new.status, new.collection_id, new.sha256, new.version, new.is_apart))
    execute function parley_sum_changed_document();
"""
# A part without what it belongs to would be a collection like others, open to its readers.
REFUSE = """
do $$ begin
    if exists (select from knowledge_collection where part_of_id is not null) then
        raise exception 'There are documents with readers of their own: delete them first, this '
                        'version keeps them from nobody.';
    end if;
end $$;
"""
_SUMS = import_module("knowledge.migrations.0020_content_sums")
OLD_SUMS = f"{_SUMS.KEEP_NO_MORE} delete from knowledge_contentsum; {_SUMS.KEEP}"


class Migration(migrations.Migration):
    """Documents whose access is their own: shared by themselves, or kept from readers."""

    dependencies: ClassVar = [("knowledge", "0026_figures_of_versions")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="collection",
            name="part_of",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="knowledge.collection",
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="is_restricted",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="document",
            name="is_apart",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(
                condition=models.Q(("part_of__isnull", False)),
                fields=["part_of"],
                name="collection_part",
            ),
        ),
        migrations.RunSQL(COLLECTIONS, OLD_COLLECTIONS),
        migrations.RunSQL(POLICY, OLD_POLICY),
        migrations.RunSQL(
            FOLLOW,
            "drop trigger parts_follow on knowledge_collection;"
            "drop function parley_parts_follow();",
        ),
        migrations.RunSQL(SUMS, OLD_SUMS),
        migrations.RunSQL(migrations.RunSQL.noop, REFUSE),
    ]
