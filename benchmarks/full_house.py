"""Every table that grows with use, filled in the database itself with as many rows as one wants."""

import sys
import time
from collections.abc import Collection
from importlib import import_module
from typing import Any

PEOPLE = 20_000
SOURCES = 200
QUESTIONS = 1_000  # golden ones; each run has a result for each
GLOSSARY = 5_000  # the most that a collection has
AGENTS, VERSIONS, SERVERS = 2_000, 10, 50
# Ids in the order of time, as the product makes them; the same for the same name and number.
FUNCTION = """
create function id_of(name text, n bigint) returns uuid language sql immutable as $$
  select (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7' || substr(md5(name || n), 1, 3)
          || '8' || substr(md5(n || name), 1, 15))::uuid
$$"""
BY_TYPE = {
    "uuid": "id_of('{column}', n)", "boolean": "false", "jsonb": "'{{}}'", "ARRAY": "'{{}}'",
    "timestamp with time zone": "now() - ({rows} - n) * interval '10 seconds'",
    "bytea": "''::bytea", "tsvector": "''::tsvector", "inet": "'192.0.2.1'::inet",
}  # fmt: skip
ONE_OF = "(array{values})[1 + n % {count}]"


def one_of(*values: str) -> str:
    return ONE_OF.format(values=list(values), count=len(values))


PERSON = f"id_of('person', n % {PEOPLE} + 1)"
OWNER = f"case when n % 10 = 0 then id_of('person', 1) else {PERSON} end"
HOME = "id_of('home', 1)"
FIRST_MOSTLY = f"id_of('source', case when n % 10 = 0 then n % {SOURCES} else 0 end + 1)"
FEW_FAIL = "case when n % 997 = 0 then '{0}' else '{1}' end"
FIGURES = """'{"ndcg": 0.8, "hit_1": 0.7, "hit_5": 0.8, "hit_10": 0.9, "mrr": 0.7,
  "expecting": 900, "nothing": 100, "quiet": 0.9}'"""
# What is not to be made up from the type of a column. Each follows those that it refers to.
TABLES: dict[str, dict[str, str]] = {
    "accounts.User": {"id": PERSON, "is_active": "true",
        "email": f"'p' || n % {PEOPLE} || '@example.org'"},
    "accounts.Grant": {"id": "id_of('grant', n)", "user_id": PERSON, "role": "'reader'",
        "kind": one_of("conversation", "collection"), "object_id": "id_of('talk', n)"},
    "accounts.ApiToken": {"user_id": PERSON, "prefix": "'par_' || n", "digest": "md5(n::text)"},
    "knowledge.Source": {"id": "id_of('source', n)", "collection_id": HOME,
        "kind": one_of("folder", "web"), "name": "'Source ' || n"},
    "knowledge.SyncRun": {"id": "id_of('run', n)",
        "source_id": f"id_of('source', n % {SOURCES} + 1)",
        "status": FEW_FAIL.format("failed", "succeeded"), "job_id": "id_of('turn', n)",
        "sample": "'[]'"},
    "knowledge.SourceItem": {"source_id": FIRST_MOSTLY, "document_id": "id_of('document', n)",
        "external_id": "n || '.pdf'", "state": FEW_FAIL.format("failed", "present")},
    "knowledge.Document": {"id": "id_of('document', n)", "collection_id": HOME,
        "source_id": FIRST_MOSTLY, "chunk_count": "1", "media_type": "'application/pdf'",
        "title": "'Paper ' || n", "file_name": "n || '.pdf'", "sha256": "md5(n::text)",
        "status": FEW_FAIL.format("failed", "ready"), "language": one_of("en", "zh")},
    "knowledge.DocumentText": {"document_id": "id_of('document', n)",
        "text": "repeat('passage ', 40)"},
    "knowledge.DocumentVersion": {"document_id": "id_of('document', n)", "number": "0",
        "state": FEW_FAIL.format("failed", "past")},
    "knowledge.Stage": {"document_id": "id_of('document', n)", "name": one_of("read", "enrich"),
        "status": FEW_FAIL.format("failed", "done")},
    "knowledge.Chunk": {"id": "id_of('chunk', n)", "document_id": "id_of('document', n)",
        "collection_id": HOME, "text": "'passage ' || n",
        "bm25": "'{1:1}/1000000000'::sparsevec", "script": one_of("latin", "han")},
    "knowledge.Embedding": {"chunk_id": "id_of('chunk', n)", "collection_id": HOME,
        "version_id": "2", "vector": "'[1,0,0]'::halfvec", "script": one_of("latin", "han")},
    "knowledge.DocumentEnrichment": {"document_id": "id_of('document', n)"},
    "knowledge.PassageEnrichment": {"id": "id_of('written', n)",
        "document_id": "id_of('document', n)", "made_of": "md5(n::text)"},
    "knowledge.GoldenQuestion": {"id": "id_of('golden', n)", "collection_id": HOME,
        "text": "'question ' || n", "key": "md5(n::text)", "state": "'accepted'"},
    "knowledge.QualityRun": {"id": "id_of('quality', n)", "collection_id": HOME,
        "state": "'done'", "cause": "'content'", "figures": FIGURES},
    "knowledge.QualityResult": {"run_id": f"id_of('quality', n / {QUESTIONS} + 1)",
        "question_id": f"id_of('golden', n % {QUESTIONS} + 1)", "rank": "1", "ndcg": "1",
        "found": "'[]'"},
    "knowledge.GlossaryEntry": {"id": "id_of('words', n)", "collection_id": HOME,
        "terms": "array['word ' || n, 'other ' || n]", "keys": "array['word ' || n]"},
    "chat.Conversation": {"id": "id_of('talk', n)", "owner_id": OWNER, "title": "'Talk ' || n"},
    "chat.Message": {"id": "id_of('message', n)", "conversation_id": "id_of('talk', n)",
        "role": one_of("user", "assistant"), "status": FEW_FAIL.format("failed", "complete"),
        "model_name": one_of("", "small"), "text": "'words ' || n"},
    "events.Stream": {"id": "id_of('turn', n)", "kind": one_of("turn", "job"), "state": "'done'"},
    "chat.Turn": {"id": "id_of('turn', n)", "conversation_id": "id_of('talk', n)",
        "question_id": "id_of('message', n)", "answer_id": "id_of('message', n)",
        "requested_by_id": OWNER, "status": FEW_FAIL.format("failed", "completed"),
        "idempotency_key": "n::text"},
    "chat.Citation": {"message_id": "id_of('message', n)", "document_id": "id_of('document', n)"},
    "chat.Feedback": {"message_id": "id_of('message', n)", "person_id": PERSON,
        "rating": "case when n % 997 = 0 then -1 else 1 end", "model_name": "'small'",
        "reasons": "'[]'"},
    "chat.Preference": {"message_id": "id_of('message', n)", "person_id": PERSON,
        "question_id": "id_of('message', n)", "model_name": "'small'", "others": "'[]'"},
    "chat.SharedLink": {"id": "id_of('link', n)", "conversation_id": "id_of('talk', n)",
        "owner_id": OWNER, "digest": "md5(n::text)"},
    "agents.Agent": {"id": "id_of('agent', n)", "owner_id": OWNER, "slug": "'agent-' || n",
        "name": "'Agent ' || n"},
    "agents.AgentVersion": {"agent_id": f"id_of('agent', n / {VERSIONS} + 1)",
        "number": f"n % {VERSIONS}"},
    "agents.RunStep": {"run_id": "id_of('turn', n)", "owner_id": OWNER, "text": "'words ' || n"},
    "agents.RunNote": {"run_id": "id_of('turn', n)", "owner_id": OWNER, "text": "'words ' || n"},
    "agents.ToolExecution": {"run_id": "id_of('turn', n)", "owner_id": OWNER,
        "agent_id": f"id_of('agent', n % {AGENTS} + 1)", "call_id": "'call_' || n",
        "tool": one_of("search_documents", "wiki__look"), "output": "'words ' || n",
        "status": FEW_FAIL.format("failed", "done")},
    "agents.Approval": {"run_id": "id_of('turn', n)", "owner_id": OWNER,
        "agent_id": f"id_of('agent', n % {AGENTS} + 1)", "tool": "'wiki__look'",
        "arguments": "'{}'", "kind": "'call'", "effect": "'sends'", "title": "'Look up'",
        "conversation_id": "id_of('talk', n)", "status": FEW_FAIL.format("waiting", "used"),
        "longest": "'once'", "scope": "'once'"},
    "agents.ToolPermission": {"owner_id": OWNER, "tool": "'wiki__look_' || n",
        "agent_id": f"id_of('agent', n % {AGENTS} + 1)", "title": "'Look up'"},
    "agents.McpServer": {"id": "id_of('server', n)", "name": "'s' || n", "auth": "'oauth'",
        "url": "'https://mcp.example.org/mcp'"},
    "agents.McpTool": {"id": "id_of('tool', n)", "name": "'s__' || n", "own_name": "n::text",
        "server_id": f"id_of('server', n % {SERVERS} + 1)", "state": one_of("new", "approved"),
        "effect": "'sends'"},
    "agents.McpAccount": {"server_id": f"id_of('server', n % {SERVERS} + 1)",
        "user_id": f"id_of('person', n / {SERVERS} + 1)"},
    "events.Job": {"id": "id_of('turn', n)", "task": "'knowledge.tasks.index'",
        "status": FEW_FAIL.format("failed", "succeeded"), "owner_id": PERSON},
    "security.AuditEntry": {"act": one_of("sign_in", "grant_given"), "kind": "'document'",
        "actor_email": f"'p' || n % {PEOPLE} || '@example.org'", "object_id": "n::text"},
    "gateway.Usage": {"turn_id": "id_of('turn', n)", "account_id": PERSON,
        "model_name": "'small'", "endpoint_name": "'here'", "attempt": "1",
        "outcome": FEW_FAIL.format("endpoint_timeout", "completed")},
    "gateway.RoutingChoice": {"alias_id": "id_of('alias', 1)", "turn_id": "id_of('turn', n)",
        "tier": one_of("simple", "medium"), "target": "'small'", "voted_by": "'score'",
        "corrected_tier": FEW_FAIL.format("hard", "")},
}  # fmt: skip
FEW = {
    "accounts.User": PEOPLE, "accounts.ApiToken": PEOPLE, "knowledge.Source": SOURCES,
    "knowledge.GoldenQuestion": QUESTIONS, "knowledge.QualityRun": QUESTIONS,
    "knowledge.GlossaryEntry": GLOSSARY, "agents.Agent": AGENTS,
    "agents.AgentVersion": AGENTS * (VERSIONS - 1), "agents.McpServer": SERVERS,
    "agents.McpTool": SERVERS * 20, "agents.McpAccount": SERVERS * 400,
}  # fmt: skip


def rows_of(label: str, rows: int) -> int:
    """Of some things there are as many as there are, however many there are of others."""
    return FEW.get(label, rows)


def fill(rows: int, only: Collection[str] = ()) -> None:
    """All of it, or these tables alone."""
    from django.apps import apps
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        # Keys are made to fit; the triggers that would check each are for rows that people make.
        cursor.execute("set session_replication_role = replica")
        for label, given in TABLES.items():
            if only and label not in only:
                continue
            table = apps.get_model(label)._meta.db_table
            began = time.monotonic()
            cursor.execute(_insert(cursor, table, given, rows_of(label, rows)))
            cursor.execute(f'analyze "{table}"')
            print(f"{label}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        cursor.execute("select id_of('home', 1), id_of('person', 1), id_of('alias', 1)")
        home, person, alias = cursor.fetchone()
        _around(home, person, alias)
        cursor.execute("set session_replication_role = default")
        cursor.execute(import_module("knowledge.migrations.0034_counts_without_parts").COUNT)
        cursor.execute("vacuum")


def _around(home: Any, person: Any, alias: Any) -> None:
    """What the rows belong to."""
    from gateway.models import Model, RoutingAlias
    from knowledge import models

    small = Model.objects.create(name="small")
    RoutingAlias.objects.create(
        pk=alias, model=Model.objects.create(name="any"), simple=small, medium=small, hard=small
    )
    models.EmbeddingVersion.objects.create(pk=2, model="tiny", dimensions=3, state="ready")
    models.Collection.objects.create(pk=home, owner_id=person, name="Home")


def _insert(cursor: Any, table: str, given: dict[str, str], rows: int) -> str:
    cursor.execute(
        "select column_name, data_type from information_schema.columns where table_name = %s"
        " and (is_nullable = 'NO' or column_name = any(%s)) and is_generated = 'NEVER'"
        " and (column_default is null or column_name = any(%s)) and is_identity = 'NO'",
        [table, list(given), list(given)],
    )
    values = {}
    for column, kind in cursor.fetchall():
        made = BY_TYPE.get(kind, "''" if "char" in kind or kind == "text" else "0")
        values[column] = given.get(column) or made.format(column=column, rows=rows)
    columns = ", ".join(f'"{name}"' for name in values)
    selected = ", ".join(values.values())
    return f'insert into "{table}" ({columns}) select {selected} from generate_series(1, {rows}) n'
