"""Building agents: drafts, versions, copies and files. Readers see none of it."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from accounts.models import User
from agents.building import drafts, exchange, gate, making, publishing
from agents.building.content import content_of
from agents.building.differences import differences
from agents.building.helping import hidden as hidden_helpers
from agents.building.schemas import (
    AgentFile,
    DifferenceOut,
    DraftIn,
    DraftOut,
    ImportIn,
    ImportOut,
    PublicationOut,
    PublishIn,
    VersionOut,
    VersionWhole,
)
from agents.building.verdicts import verdict_on
from agents.models import Agent, AgentVersion, Publication
from security import audit
from security.acts import Act
from security.rate_limits import Action

router = Router(tags=["Agents"])
PIXELS = {"schema": {"type": "string", "format": "binary"}}
SENT = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the picture, as `curl -T face.png` sends them.",
        "content": dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp"), PIXELS),
    }
}


def draft_out(user: User, draft: Agent) -> dict[str, Any]:
    """With the collections that `user` may see, and the number of others."""
    content = content_of(draft)
    hidden = {str(pk) for pk in drafts.hidden_collections(user, draft)}
    content["collections"] = [pk for pk in content["collections"] if pk not in hidden]
    unseen = {one["agent"] for one in hidden_helpers(user, draft)}
    content["helpers"] = [one for one in content["helpers"] if one["agent"] not in unseen]
    agent = draft.draft_of
    assert agent is not None
    return {
        "id": agent.pk, "slug": agent.slug, "try_as": draft.slug, "version": agent.version,
        "revision": draft.version, "has_changes": drafts.has_changes(draft), "content": content,
        "hidden_collections": len(hidden), "hidden_helpers": len(unseen),
    }  # fmt: skip


def publication_out(user: User, row: Publication) -> dict[str, Any]:
    told = verdict_on(user, row)
    return {
        "state": told.state, "revision": row.revision, "basis": row.basis, "number": row.number,
        "reason": _(row.reason) if row.reason else "", "job_id": row.job_id,
        "questions": told.questions, "answers": told.answers, "is_told": told.is_told,
        "measures": told.measures, "worse": told.worse,
    }  # fmt: skip


@router.post(
    "/agents/import", response={200: ImportOut, 201: ImportOut}, auth=WRITE,
    summary="Import an agent", operation_id="import_agent",
)  # fmt: skip
def import_agent(request: HttpRequest, body: ImportIn) -> Any:
    """As a draft of your own. Collections are matched by name; what is not found is told."""
    user = caller(request)
    said = {**body.file.agent.changes(), "name": body.file.agent.name}
    brought = exchange.read(user, said)
    made = None if body.preview else exchange.bring(user, brought)
    told = {"id": made and made.pk, "name": said["name"], "unmatched": list(brought.unmatched)}
    return Status(201 if made else 200, told)


@router.get(
    "/agents/{uuid:agent_id}/draft", response=DraftOut, auth=READ, summary="Read the draft",
    operation_id="get_agent_draft",
)  # fmt: skip
def get_agent_draft(request: HttpRequest, agent_id: UUID) -> Any:
    """Needs the role editor, like all that follows."""
    user = caller(request)
    return draft_out(user, drafts.find_draft(user, agent_id))


@router.patch(
    "/agents/{uuid:agent_id}/draft", response=DraftOut, auth=WRITE, summary="Change the draft",
    operation_id="update_agent_draft",
)  # fmt: skip
def update_agent_draft(request: HttpRequest, agent_id: UUID, body: DraftIn) -> Any:
    """409 when it was changed since the revision that you name."""
    user = caller(request)
    saved = drafts.save_draft(user, agent_id, body.revision, body.content.changes())
    return draft_out(user, saved)


@router.delete(
    "/agents/{uuid:agent_id}/draft", response=DraftOut, auth=WRITE, summary="Discard the draft",
    operation_id="discard_agent_draft",
)  # fmt: skip
def discard_agent_draft(request: HttpRequest, agent_id: UUID) -> Any:
    """It says what is published, again."""
    user = caller(request)
    return draft_out(user, drafts.discard_draft(user, agent_id))


@router.put(
    "/agents/{uuid:agent_id}/picture", response=DraftOut, auth=WRITE, openapi_extra=SENT,
    summary="Give the draft a picture", operation_id="set_agent_picture",
)  # fmt: skip
def set_agent_picture(request: HttpRequest, agent_id: UUID) -> Any:
    """At most 10 MB. It is drawn anew, square and small."""
    user = caller(request)
    require_editable(Agent.objects, user, agent_id)
    spend_for(request, Action.UPLOADS)
    return draft_out(user, making.set_picture(user, agent_id, request))


@router.delete(
    "/agents/{uuid:agent_id}/picture", response=DraftOut, auth=WRITE,
    summary="Take the draft's picture away", operation_id="remove_agent_picture",
)  # fmt: skip
def remove_agent_picture(request: HttpRequest, agent_id: UUID) -> Any:
    user = caller(request)
    return draft_out(user, making.remove_picture(user, agent_id))


@router.post(
    "/agents/{uuid:agent_id}/publish", response={201: VersionOut, 202: PublicationOut}, auth=WRITE,
    summary="Publish the draft", operation_id="publish_agent",
)  # fmt: skip
def publish_agent(request: HttpRequest, agent_id: UUID, body: PublishIn) -> Any:
    """As the next version, which members use from now on.

    Where golden questions of its collections may tell a difference, they are asked first (202): it
    is published at the end of that, or held back. 409 `change-held` where it lost; with `force` and
    a `reason`, which the audit log keeps, it is published nevertheless.
    """
    user = caller(request)
    if body.force:
        forced = gate.insist(user, agent_id, body.revision, body.reason, body.note)
        return Status(201, forced)
    made = gate.submit(user, agent_id, body.revision, body.note)
    if isinstance(made, AgentVersion):
        return Status(201, made)
    return Status(202, publication_out(user, made))


@router.get(
    "/agents/{uuid:agent_id}/publication", response=PublicationOut, auth=READ,
    summary="Read what golden questions say of the draft", operation_id="get_agent_publication",
)  # fmt: skip
def get_agent_publication(request: HttpRequest, agent_id: UUID) -> Any:
    """The latest that was to be published, and what came of it. Needs the role editor."""
    user = caller(request)
    found = gate.find_publication(user, agent_id)
    return publication_out(user, found) if found else {"state": "none"}


@router.delete(
    "/agents/{uuid:agent_id}/publication", response={204: None}, auth=WRITE,
    summary="Keep what is published", operation_id="drop_agent_publication",
)  # fmt: skip
def drop_agent_publication(request: HttpRequest, agent_id: UUID) -> Any:
    """What waits is not published any more; the draft stays as it is."""
    gate.keep_old(caller(request), agent_id)
    return Status(204, None)


@router.get(
    "/agents/{uuid:agent_id}/versions", response=list[VersionOut], auth=READ,
    summary="List versions", operation_id="list_agent_versions",
)  # fmt: skip
def list_agent_versions(request: HttpRequest, agent_id: UUID) -> Any:
    """The latest first."""
    return publishing.list_versions(caller(request), agent_id)


@router.get(
    "/agents/{uuid:agent_id}/versions/{int:number}", response=VersionWhole, auth=READ,
    summary="Read a version", operation_id="get_agent_version",
)  # fmt: skip
def get_agent_version(request: HttpRequest, agent_id: UUID, number: int) -> Any:
    return publishing.find_version(caller(request), agent_id, number)


@router.get(
    "/agents/{uuid:agent_id}/versions/{int:number}/changes", response=list[DifferenceOut],
    auth=READ, summary="Compare two versions", operation_id="compare_agent_versions",
)  # fmt: skip
def compare_agent_versions(
    request: HttpRequest, agent_id: UUID, number: int, since: Query[int]
) -> Any:
    """What this one says that the version `since` did not, word by word."""
    user = caller(request)
    old = publishing.find_version(user, agent_id, since)
    new = publishing.find_version(user, agent_id, number)
    return differences(user, old.content, new.content)


@router.post(
    "/agents/{uuid:agent_id}/versions/{int:number}/restore", response={201: VersionOut},
    auth=WRITE, summary="Roll back to a version", operation_id="restore_agent_version",
)  # fmt: skip
def restore_agent_version(request: HttpRequest, agent_id: UUID, number: int) -> Any:
    """As the next version. A draft with changes of its own stays as it is."""
    return Status(201, publishing.restore(caller(request), agent_id, number))


@router.post(
    "/agents/{uuid:agent_id}/duplicate", response={201: DraftOut}, auth=WRITE,
    summary="Duplicate an agent", operation_id="duplicate_agent",
)  # fmt: skip
def duplicate_agent(request: HttpRequest, agent_id: UUID) -> Any:
    """A draft of your own that says the same."""
    user = caller(request)
    made = making.duplicate(user, agent_id)
    return Status(201, draft_out(user, drafts.find_draft(user, made.pk)))


@router.get(
    "/agents/{uuid:agent_id}/export", auth=READ, response=AgentFile, summary="Export an agent",
    operation_id="export_agent",
)  # fmt: skip
def export_agent(request: HttpRequest, agent_id: UUID) -> Any:
    """Its draft, as a file that can be imported here or elsewhere. Collections stand in it by
    their names; pictures stay."""
    user = caller(request)
    draft = drafts.find_draft(user, agent_id)
    assert draft.draft_of is not None
    audit.record(Act.AGENT_EXPORTED, draft.draft_of, by=user, title=draft.name)
    written = orjson.dumps(exchange.as_file(user, draft), option=orjson.OPT_INDENT_2)
    response = HttpResponse(written, content_type="application/json")
    file_name = f"{draft.draft_of.slug}.json"
    response["Content-Disposition"] = content_disposition_header(True, file_name)
    response["Cache-Control"] = "private, no-store"
    return response
