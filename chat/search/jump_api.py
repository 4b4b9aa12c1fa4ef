from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, StringConstraints

from accounts.callers import READ, caller
from accounts.limits import spend_for
from chat.search.api import marks
from chat.search.jump import Target
from chat.search.jump import jump as find_anything
from security.rate_limits import Action

router = Router()
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Kind = Literal["", "conversation", "document", "passage", "collection", "agent", "prompt"]
Marks = Annotated[list[tuple[int, int]], Field(description="What was found: start and end.")]
TARGET: dict[str, Any] = {
    "kind": "document", "id": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d", "name": "Travel policy",
    "marks": [[0, 6]], "detail": "Handbook", "detail_marks": [],
    "url": "/knowledge/documents/0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d/",
}  # fmt: skip


class TargetOut(Schema):
    kind: str = Field(
        description="`conversation`, `document`, `passage`, `collection`, `agent` or `prompt`."
    )
    id: str
    name: str
    marks: Marks
    detail: str
    detail_marks: Marks
    url: str = Field(description="The page of it.")

    model_config = ConfigDict(json_schema_extra={"examples": [TARGET]})


class ChipOut(Schema):
    """Words of the query that narrow its conversations."""

    kind: str = Field(description="`dates` or `agent`.")
    words: str = Field(description="As they stand in the query.")
    name: str = Field("", description="Of the agent.")
    since: date | None = Field(None, description="The first day that counts.")
    until: date | None = Field(None, description="The last day that counts.")


class TargetsOut(Schema):
    items: list[TargetOut]
    narrowed: list[ChipOut] = Field([], description="What the conversations are narrowed to.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [TARGET], "narrowed": []}]})


@router.get(
    "/jump", response=TargetsOut, auth=READ, tags=["Search"], summary="Find anything by its name",
    operation_id="jump",
)  # fmt: skip
def jump(
    request: HttpRequest,
    q: Annotated[Words, Query()],
    kind: Annotated[Kind, Query()] = "",
    without: Annotated[list[Literal["dates", "agent"]], Query()] = [],  # noqa: B006 - read only
) -> Any:
    """What the command palette shows: the best few of each kind that has all of these words, or
    more of one `kind`. "last week", "since May 3", "上周" or "agent:Law" in it narrow the
    conversations, unless `without` says that these are words."""
    spend_for(request, Action.SEARCHES)
    found = find_anything(caller(request), q, kind, without)
    return {"items": [_told(target) for target in found.targets], "narrowed": found.chips}


def _told(target: Target) -> dict[str, Any]:
    return {
        "kind": target.kind,
        "id": target.id,
        "name": "".join(run.text for run in target.name),
        "marks": marks(target.name),
        "detail": "".join(run.text for run in target.detail),
        "detail_marks": marks(target.detail),
        "url": target.url,
    }
