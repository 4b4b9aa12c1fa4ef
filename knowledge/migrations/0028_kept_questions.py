from typing import ClassVar

from django.db import migrations

# Of the owner of the tables: the policies of what these rest on would hide that they rest on it.
KEPT = """
create function parley_kept_question(question uuid) returns boolean
language sql stable security definer as $$
    select exists (select from knowledge_expectedpassage e
                   join knowledge_document d on d.id = e.document_id
                   where e.question_id = question and d.is_apart
                     and d.id <> all (parley_collections()))
$$;
create function parley_kept_answer(answer uuid) returns boolean
language sql stable security definer as $$
    select exists (select from knowledge_approvedsource s
                   join knowledge_document d on d.id = s.document_id
                   where s.answer_id = answer and d.is_apart
                     and d.id <> all (parley_collections()))
$$;
do $$ begin
    execute format('alter function parley_kept_question(uuid) set search_path = %I, pg_temp', current_schema());
    execute format('alter function parley_kept_answer(uuid) set search_path = %I, pg_temp', current_schema());
end $$;
drop policy reading on knowledge_goldenquestion;
create policy reading on knowledge_goldenquestion for select
    using (exists (select from knowledge_collection c where c.id = collection_id)
           and not parley_kept_question(id));
drop policy reading on knowledge_approvedanswer;
create policy reading on knowledge_approvedanswer for select
    using (exists (select from knowledge_collection c where c.id = collection_id)
           and not parley_kept_answer(id));
"""
TOLD = """
drop policy reading on knowledge_goldenquestion;
create policy reading on knowledge_goldenquestion for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
drop policy reading on knowledge_approvedanswer;
create policy reading on knowledge_approvedanswer for select
    using (exists (select from knowledge_collection c where c.id = collection_id));
drop function parley_kept_question(uuid);
drop function parley_kept_answer(uuid);
"""


class Migration(migrations.Migration):
    """Questions and approved answers that rest on a document are told to who may read it."""

    dependencies: ClassVar = [("knowledge", "0027_document_access")]

    operations: ClassVar = [migrations.RunSQL(KEPT, TOLD)]
