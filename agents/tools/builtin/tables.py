"""SQL over tables: files with rows that the person may read, asked with DuckDB.

A process that can do nothing else loads them into memory and asks (`agents.tools.confined.tables`);
nothing that SQL says reaches a file, the network or another document.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from accounts.models import User
from agents.tools.builtin.knowledge import NOT_THERE, may_show, within_reach_of
from agents.tools.confined.running import Bounds, run_confined
from agents.tools.provenance import provenance_of, refused_with
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused
from agents.types import AgentTask
from knowledge.file_kinds import CSV, TSV, XLSX
from knowledge.labels import demands_of
from knowledge.models import Document
from knowledge.storage import path_of
from observability.patience import run_patiently
from security.reading import second_lock

MOST_BYTES = 60 * 1024 * 1024
SHOWN_ROWS = 50  # on the card
KINDS = {CSV.media_type: "csv", TSV.media_type: "csv", XLSX.media_type: "xlsx"}
BOUNDS = Bounds(seconds=30, memory=1024)


@tool(title=_("Query a table"), effect=Effect.READS, icon="table", result_chars=14_000, timeout=90)
async def query_table(
    calling: ToolCalling,
    documents: Annotated[list[UUID], Field(min_length=1, max_length=4)],
    sql: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = "",
) -> ToolOutput:
    """Query CSV and Excel documents with one SELECT of DuckDB's SQL. They are t1, t2, … in order,
    further sheets t1_2, …; without `sql` their columns are described."""
    found = await run_patiently(_tables, calling.user, calling.task, documents)
    collections = {document.space_id for document in found}
    demands = await run_patiently(demands_of, collections)
    await may_show(calling.task, demands)
    files = [_file(document) for document in found]
    try:
        answer = await run_confined(
            "tables", {"files": files, "sql": sql}, [Path(file["path"]) for file in files], BOUNDS,
            modules=["openpyxl"] if any(file["kind"] == "xlsx" for file in files) else [],
        )  # fmt: skip
    except ToolRefused as error:
        raise await run_patiently(refused_with, str(error), collections) from None
    taints, readers = await run_patiently(provenance_of, collections)
    data: dict[str, Any] = {
        "kind": "table", "sql": sql, "columns": answer["columns"],
        "rows": answer["rows"][:SHOWN_ROWS], "documents": [str(one.pk) for one in found],
    }  # fmt: skip
    quoted = frozenset(document.pk for document in found)
    return ToolOutput(answer["text"], data, (), taints, readers, demands, quoted)


@second_lock
def _tables(user: User, task: AgentTask, ids: Sequence[UUID]) -> list[Document]:
    """The documents in the order of their ids; raises ToolRefused."""
    rows = Document.objects.visible_to(user).filter(within_reach_of(task), pk__in=ids)
    found = {row.pk: row for row in rows}
    if set(found) != set(ids):
        raise ToolRefused(NOT_THERE)
    for document in found.values():
        if document.media_type not in KINDS:
            raise ToolRefused(f"{document.pk} is no CSV or Excel file; use read_document.")
        if document.size > MOST_BYTES:
            raise ToolRefused(f"{document.pk} is too large to be queried.")
    return [found[pk] for pk in ids]


def _file(document: Document) -> dict[str, str]:
    path = path_of(document.stored_id)
    if not path.is_file():
        raise ToolRefused(f"The file of {document.pk} is not there.")
    return {"path": str(path), "kind": KINDS[document.media_type]}
