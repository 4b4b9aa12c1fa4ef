from typing import ClassVar

from django.db import migrations

# A conversation's rows ask for the conversation, which has a policy of its own: nobody has so many
# rows on a page that a look-up for each would be dear, but many have thousands of conversations.
POLICIES = """
create policy reading on chat_conversation for select
    using (owner_id = (select parley_reader_id())
           or id = any ((select parley_granted('conversation'))::uuid[]));
create policy reading on chat_message for select
    using (exists (select from chat_conversation c
                   where c.id = conversation_id and c.deleted_at is null));
create policy reading on chat_turn for select
    using (exists (select from chat_conversation c
                   where c.id = conversation_id and c.deleted_at is null));
create policy reading on chat_conversation_collections for select
    using (exists (select from chat_conversation c where c.id = conversation_id));
create policy reading on chat_citation for select
    using (exists (select from knowledge_document d where d.id = document_id)
           and exists (select from chat_message m where m.id = message_id));
"""
TABLES = (
    "chat_conversation", "chat_message", "chat_turn", "chat_conversation_collections",
    "chat_citation",
)  # fmt: skip


class Migration(migrations.Migration):
    """The second lock: whoever reads as a person gets the rows of their conversations only."""

    dependencies: ClassVar = [
        ("chat", "0003_deleted_conversations"),
        ("knowledge", "0003_second_lock"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            POLICIES, "".join(f"drop policy reading on {table};" for table in TABLES)
        ),
        migrations.RunSQL(
            "".join(f"alter table {table} enable row level security;" for table in TABLES),
            "".join(f"alter table {table} disable row level security;" for table in TABLES),
        ),
    ]
