import django.db.models.deletion
from django.db import migrations, models

# What `Collection.objects.shelves_of` says, once more for the second lock. A shelf is in no list
# of collections: the functions stay apart, so that who has many attachments searches as fast.
SHELVES = """
create or replace function parley_collections() returns uuid[] language plpgsql stable security definer as $$
begin
    return array(select id from knowledge_collection
                 where owner_id = parley_reader_id() and not is_shelf)
           || parley_granted('collection');
end $$;
create function parley_shelves() returns uuid[] language plpgsql stable security definer as $$
declare
    reader uuid := parley_reader_id();
begin
    return array(
        select id from knowledge_collection
        where is_shelf and not is_withdrawn and owner_id = reader
        union
        select id from knowledge_collection
        where is_shelf and not is_withdrawn
          and conversation_id = any (parley_granted('conversation')));
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
    execute format('alter function parley_shelves() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
alter function parley_shelves() set plan_cache_mode = 'auto';
"""
NO_SHELVES = """
create or replace function parley_collections() returns uuid[] language plpgsql stable security definer as $$
begin
    return array(select id from knowledge_collection where owner_id = parley_reader_id())
           || parley_granted('collection');
end $$;
do $$ begin
    execute format('alter function parley_collections() set search_path = %I, pg_temp', current_schema());
end $$;
alter function parley_collections() set plan_cache_mode = 'auto';
drop function parley_shelves();
"""
TABLES = (
    "knowledge_source", "knowledge_document", "knowledge_chunk", "knowledge_embedding", "term_df",
    "lexical_statistics",
)  # fmt: skip
# Policies of one table are joined by "or", in the order of their names: this one is asked last.
POLICY = """
create policy shelf on {table} for select using ({column} = any ((select parley_shelves())::uuid[]));
"""
POLICIES = "".join(
    [POLICY.format(table="knowledge_collection", column="id")]
    + [POLICY.format(table=table, column="collection_id") for table in TABLES]
)
NO_POLICIES = "".join(
    f"drop policy shelf on {table};" for table in ("knowledge_collection", *TABLES)
)
LEXICON = """
create or replace view knowledge_lexicon as
    select id, collection_id, terms, bm25 from knowledge_chunk
    where collection_id = any ((select parley_collections())::uuid[])
       or collection_id = any ((select parley_shelves())::uuid[]);
"""
OLD_LEXICON = """
create or replace view knowledge_lexicon as
    select id, collection_id, terms, bm25 from knowledge_chunk
    where collection_id = any ((select parley_collections())::uuid[]);
"""
PICTURES = """
create policy reading on knowledge_picture for select
    using (exists (select from knowledge_document d where d.id = document_id));
alter table knowledge_picture enable row level security;
"""


class Migration(migrations.Migration):
    """Shelves: collections of one file each, attached to a question; and pictures."""

    dependencies = [("knowledge", "0005_invisible_count")]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="is_shelf",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="collection",
            name="conversation_id",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="collection",
            name="is_withdrawn",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(
                condition=models.Q(("is_shelf", False)), fields=["owner"], name="collection_owner"
            ),
        ),
        migrations.AddIndex(
            model_name="collection",
            index=models.Index(
                condition=models.Q(("is_shelf", True)),
                fields=["conversation_id"],
                name="shelf_conversation",
            ),
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="picture",
                        serialize=False,
                        to="knowledge.document",
                    ),
                ),
                ("width", models.IntegerField()),
                ("height", models.IntegerField()),
                ("small", models.BinaryField()),
                ("small_type", models.CharField(max_length=20)),
                ("small_width", models.IntegerField()),
                ("small_height", models.IntegerField()),
            ],
        ),
        migrations.RunSQL(SHELVES, NO_SHELVES),
        migrations.RunSQL(POLICIES, NO_POLICIES),
        migrations.RunSQL(LEXICON, OLD_LEXICON),
        migrations.RunSQL(PICTURES, "drop policy reading on knowledge_picture;"),
    ]
