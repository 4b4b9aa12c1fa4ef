from typing import ClassVar

from django.db import migrations

TABLES = """
create table term_df (
    collection_id uuid not null references knowledge_collection (id) on delete cascade,
    term integer not null,
    df integer not null,
    primary key (collection_id, term)
) with (fillfactor = 80);
create table lexical_statistics (
    collection_id uuid primary key references knowledge_collection (id) on delete cascade,
    n bigint not null default 0,
    sum_length bigint not null default 0,
    avgdl_frozen real not null default 0
);
create index embedding_by_collection on knowledge_embedding (version_id, collection_id);
"""
FIRST_VERSION = """
insert into knowledge_embeddingversion (model, dimensions, is_multilingual, is_active, created_at)
values ('all-MiniLM-L6-v2', 384, false, true, now());
create index embedding_hnsw_1 on knowledge_embedding
    using hnsw ((vector::halfvec(384)) halfvec_ip_ops) with (m = 16, ef_construction = 128)
    where version_id = 1 and script <> 'cjk';
"""


class Migration(migrations.Migration):
    """Lexical statistics, and the first embedding version with its own partial index."""

    dependencies: ClassVar = [("knowledge", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(
            TABLES,
            "drop index embedding_by_collection; drop table lexical_statistics; drop table term_df",
        ),
        migrations.RunSQL(
            FIRST_VERSION,
            "drop index embedding_hnsw_1; delete from knowledge_embeddingversion where id = 1",
        ),
    ]
