"""Repositories that are connected as sources: what is in them, and how it came to be.

The copy that syncs keep is read, never the server that it is from, by a process that can do nothing
else (`agents.tools.confined.git`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from accounts.models import User
from agents.asking import searched_collections
from agents.tools.builtin.knowledge import may_show
from agents.tools.confined.running import Bounds, run_confined
from agents.tools.provenance import provenance_of, refused_with
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused
from agents.types import AgentTask
from knowledge.labels import demands_of
from knowledge.models import Collection, Document, Source, SourceItem
from knowledge.sources.places import repository_of
from observability.patience import run_patiently
from security.reading import second_lock

RESULT_CHARS = 16_000
MOST_NAMED = 50  # repositories that are named to a model
BOUNDS = Bounds(seconds=20, memory=768)
OPTIONS: dict[str, Any] = {
    "effect": Effect.READS, "icon": "git", "result_chars": RESULT_CHARS, "timeout": 80,
}  # fmt: skip

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Path = Annotated[str, StringConstraints(max_length=4000)]
Revision = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
Line = Annotated[int, Field(ge=1, le=10_000_000)]
Lines = Annotated[int, Field(ge=1, le=400)]


@dataclass(frozen=True, slots=True)
class Repository:
    """One that the person may read, under a name that only its collection gives it: what people
    call a source, and where it is, is for those who look after it."""

    source_id: UUID
    collection_id: UUID
    name: str
    head: str
    settings: dict[str, Any]


@tool(title=_("List files of a repository"), **OPTIONS)
async def git_list(
    calling: ToolCalling, path: Path = "", repository: Name = "", revision: Revision = "",
    *, offset: Offset = 0,
) -> ToolOutput:  # fmt: skip
    """List a folder of a connected git repository. `repository` may be empty where there is one
    only; `revision` is a commit's hash, empty for the latest."""
    asked = {"path": path, "revision": revision, "offset": offset}
    return await _ask(calling, repository, "list", asked)


@tool(title=_("Read a file of a repository"), **OPTIONS)
async def git_read(
    calling: ToolCalling, path: Path, repository: Name = "", revision: Revision = "",
    *, start_line: Line = 1, line_count: Lines = 200,
) -> ToolOutput:  # fmt: skip
    """Read a text file of a git repository, with line numbers: cite it as path:line."""
    asked = {
        "path": path, "revision": revision, "start_line": start_line, "line_count": line_count,
    }  # fmt: skip
    return await _ask(calling, repository, "read", asked)


@tool(title=_("Search a repository"), **OPTIONS)
async def git_search(
    calling: ToolCalling, text: Annotated[str, StringConstraints(min_length=2, max_length=200)],
    path: Path = "", repository: Name = "", *, revision: Revision = "", offset: Offset = 0,
) -> ToolOutput:  # fmt: skip
    """Find the lines with this text, in files whose path begins with `path`."""
    asked = {"text": text, "path": path, "revision": revision, "offset": offset}
    return await _ask(calling, repository, "search", asked)


@tool(title=_("History of a repository"), **OPTIONS)
async def git_log(
    calling: ToolCalling, path: Path = "", repository: Name = "", *, revision: Revision = "",
    text: Annotated[str, StringConstraints(max_length=200)] = "",
    limit: Annotated[int, Field(ge=1, le=50)] = 20, offset: Offset = 0,
) -> ToolOutput:  # fmt: skip
    """List commits, the newest first: of a path, up to a revision, with `text` in their message."""
    asked = {
        "path": path, "revision": revision, "text": text, "limit": limit, "offset": offset,
    }  # fmt: skip
    return await _ask(calling, repository, "log", asked)


@tool(title=_("Compare two commits"), **OPTIONS)
async def git_diff(
    calling: ToolCalling, revision: Revision = "", base: Revision = "", path: Path = "",
    *, repository: Name = "",
) -> ToolOutput:  # fmt: skip
    """Show what a commit changed, or with `base` what differs between the two."""
    asked = {"revision": revision, "base": base, "path": path}
    return await _ask(calling, repository, "diff", asked)


@tool(title=_("Who wrote each line"), **OPTIONS)
async def git_blame(
    calling: ToolCalling, path: Path, repository: Name = "", revision: Revision = "",
    *, start_line: Line = 1, line_count: Lines = 100,
) -> ToolOutput:  # fmt: skip
    """Show for each line of a file the commit, day and author that it is from."""
    asked = {
        "path": path, "revision": revision, "start_line": start_line, "line_count": line_count,
    }  # fmt: skip
    return await _ask(calling, repository, "blame", asked)


async def _ask(calling: ToolCalling, name: str, do: str, asked: dict[str, Any]) -> ToolOutput:
    found = await run_patiently(_choose, calling, name)
    demands = await run_patiently(demands_of, [found.collection_id])
    await may_show(calling.task, demands)
    place = repository_of(found.source_id)
    if not found.head or not place.is_dir():
        raise ToolRefused("This repository was not fetched yet. Try again after its next sync.")
    left_out = await run_patiently(_left_out, calling.user, found.source_id)
    request = {
        "do": do, "with": asked, "repository": str(place), "head": found.head,
        "left_out": left_out, "include": found.settings.get("include", []),
        "exclude": found.settings.get("exclude", []),
    }  # fmt: skip
    try:
        answer = await run_confined("git", request, [place], BOUNDS)
    except ToolRefused as error:
        raise await run_patiently(refused_with, str(error), [found.collection_id]) from None
    taints, readers = await run_patiently(provenance_of, [found.collection_id])
    data = {"kind": "code", "do": do, "repository": found.name, **answer["data"]}
    head = f"Repository “{found.name}”, commit {data['commit'][:12]}:"
    return ToolOutput(f"{head}\n{answer['text']}", data, (), taints, readers, demands)


def _choose(calling: ToolCalling, name: str) -> Repository:
    """By its name or id; raises ToolRefused with the names there are."""
    found = list_repositories(calling.user, calling.task)
    named = [one for one in found if name in {one.name, str(one.source_id)}] if name else found
    if len(named) == 1:
        return named[0]
    if not found:
        raise ToolRefused("No git repository that you may read is connected.")
    names = ", ".join(f"“{one.name}”" for one in found[:MOST_NAMED])
    collections = [one.collection_id for one in found]
    raise refused_with(f"Name one of the repositories: {names}.", collections)


def list_repositories(user: User, task: AgentTask) -> list[Repository]:
    """Those in the collections that person, agent and conversation have in common, without those
    of which something is kept from the person: a copy has its files at every commit, under every
    name that they ever had."""
    found = _in_reach(user, task)
    kept = _keeping_back(user, [one.source_id for one in found])
    return [one for one in found if one.source_id not in kept]


def _keeping_back(user: User, sources: Sequence[UUID]) -> set[UUID]:
    """Past the second lock, which would hide that there is something hidden."""
    hidden = Collection.parts_apart.kept_from(user).values("pk")
    documents = Document.objects.filter(is_apart=True, pk__in=hidden)
    items = SourceItem.objects.filter(source__in=sources, document__in=documents)
    own = documents.filter(source__in=sources)
    return {*items.values_list("source", flat=True), *own.values_list("source", flat=True)}


@second_lock
def _in_reach(user: User, task: AgentTask) -> list[Repository]:
    if task.has_lost_its_collections:
        return []
    visible = Collection.objects.visible_to(user)
    chosen = searched_collections(task)
    if chosen is not None:
        visible = visible.filter(pk__in=chosen)
    rows = Source.objects.filter(kind=Source.Kind.GIT, is_leaving=False, collection__in=visible)
    found = list(rows.select_related("collection").order_by("collection__name", "pk"))
    return [
        Repository(row.pk, row.collection_id, name, str(row.cursor.get("commit", "")), row.settings)
        for row, name in zip(found, _names(found), strict=True)
    ]


def _names(sources: Sequence[Source]) -> list[str]:
    """A collection's name; with a number where that is not one's own."""
    names = [source.collection.name for source in sources]
    return [
        f"{name} ({names[: n + 1].count(name)})" if names.count(name) > 1 else name
        for n, name in enumerate(names)
    ]


@second_lock
def _left_out(user: User, source_id: UUID) -> list[str]:
    """What somebody took out of the collection stays out, at every commit: at once, whether or not
    a visit has noticed it."""
    visible = Collection.objects.visible_to(user)
    documents = Document.objects.filter(pk=OuterRef("document"), collection__in=visible)
    states = SourceItem.State
    is_deleted = Q(~Exists(documents), state__in=(states.PRESENT, states.MISSING))
    items = SourceItem.objects.filter(source=source_id, source__collection__in=visible)
    rows = items.filter(Q(state=states.LEFT_OUT) | is_deleted)
    return list(rows.values_list("external_id", flat=True))
