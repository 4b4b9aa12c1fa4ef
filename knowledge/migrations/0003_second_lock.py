from typing import ClassVar

from django.db import migrations

VISIBLE = """
create function parley_collections() returns uuid[] language plpgsql stable security definer as $$
begin
    return array(select id from knowledge_collection where owner_id = parley_reader_id())
           || parley_granted('collection');
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
"""
# The sub-selects around the functions make each of them run once a query, not once a row.
POLICIES = """
create policy reading on knowledge_collection for select
    using (id = any ((select parley_collections())::uuid[]));
create policy reading on knowledge_source for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on knowledge_document for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on knowledge_chunk for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on knowledge_embedding for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on term_df for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on lexical_statistics for select
    using (collection_id = any ((select parley_collections())::uuid[]));
create policy reading on knowledge_documenttext for select
    using (exists (select from knowledge_document d where d.id = document_id));
create policy reading on knowledge_stage for select
    using (exists (select from knowledge_document d where d.id = document_id));
"""
TABLES = (
    "knowledge_collection", "knowledge_source", "knowledge_document", "knowledge_chunk",
    "knowledge_embedding", "term_df", "lexical_statistics", "knowledge_documenttext",
    "knowledge_stage",
)  # fmt: skip
# Under a row policy Postgres refuses an index whose operator is not leakproof, and `&&` on terms
# is not: the lexical leg reads this view, which holds no text and asks the policy's question itself.
LEXICON = """
create view knowledge_lexicon as
    select id, collection_id, terms, bm25 from knowledge_chunk
    where collection_id = any ((select parley_collections())::uuid[]);
"""


class Migration(migrations.Migration):
    """The second lock: whoever reads as a person gets the rows of their collections only."""

    dependencies: ClassVar = [
        ("knowledge", "0002_search"),
        ("accounts", "0002_second_lock"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(VISIBLE, "drop function parley_collections()"),
        migrations.RunSQL(
            POLICIES, "".join(f"drop policy reading on {table};" for table in TABLES)
        ),
        migrations.RunSQL(
            "".join(f"alter table {table} enable row level security;" for table in TABLES),
            "".join(f"alter table {table} disable row level security;" for table in TABLES),
        ),
        migrations.RunSQL(LEXICON, "drop view knowledge_lexicon"),
    ]
