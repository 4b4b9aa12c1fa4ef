from importlib import import_module
from typing import ClassVar

from django.db import migrations

# As in 0027, with less work: a house without parts is told so by an empty index, owners by the
# parts themselves, and who edits is asked only where something is restricted.
COLLECTIONS = """
create or replace function parley_collections() returns uuid[] language plpgsql stable security definer as $$
declare
    reader uuid := parley_reader_id();
    whole uuid[] := array(select id from knowledge_collection
                          where owner_id = reader and not is_shelf and part_of_id is null)
                    || parley_granted('collection');
    named uuid[];
    edited uuid[];
begin
    if not exists (select from knowledge_collection where part_of_id is not null) then
        return whole;
    end if;
    named := parley_granted('document');
    if exists (select from knowledge_collection
               where part_of_id is not null and part_of_id = any (whole) and is_restricted) then
        edited := array(
            select object_id from accounts_grant
            where kind = 'collection' and role in ('editor', 'owner')
              and (user_id = reader or team_id in (
                  select team_id from accounts_membership where user_id = reader
                  union all
                  select id from accounts_team where is_everyone and reader is not null)));
    end if;
    return whole || array(
        select id from knowledge_collection
        where part_of_id is not null and not is_withdrawn
          and (id = any (named) or owner_id = reader
               or part_of_id = any (whole) and not is_restricted
               or part_of_id = any (edited)));
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
"""
BEFORE: str = import_module("knowledge.migrations.0027_document_access").COLLECTIONS


class Migration(migrations.Migration):
    dependencies: ClassVar = [("knowledge", "0029_canaries")]

    operations: ClassVar = [migrations.RunSQL(COLLECTIONS, BEFORE)]
