"""Usage in the JSON API."""

import tempfile
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from accounts.callers import ACCOUNT, ANY, READ, caller
from accounts.limits import spend_for
from agents.usage.audience import Whose, mine, of_everybody, of_team
from agents.usage.overview import read_overview
from agents.usage.schemas import UsageOut
from agents.usage.selectors import zone_of
from agents.usage.spans import last_days
from agents.usage.tables import write_table
from security import audit
from security.acts import Act
from security.downloads import Download
from security.rate_limits import Action

router = Router(tags=["Usage"])
MANY = 366
Days = Annotated[int, Query(30, ge=1, le=MANY, description="Back from today, which counts.")]
CSV = {
    "responses": {
        200: {
            "description": "The table.",
            "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@router.get(
    "/me/usage", response=UsageOut, auth=ANY, summary="Your usage", operation_id="get_my_usage"
)
def get_my_usage(request: HttpRequest, days: Days = 30) -> Any:
    """What you used: tokens, calls and their cost, by day, model, agent, purpose and token."""
    return UsageOut.of(read_overview(mine(caller(request)), days))


@router.get(
    "/teams/{uuid:team_id}/usage", response=UsageOut, auth=READ, summary="A team's usage",
    operation_id="get_team_usage",
)  # fmt: skip
def get_team_usage(request: HttpRequest, team_id: UUID, days: Days = 30) -> Any:
    """What its members used while they were in it. Needs to be an owner of the team."""
    return UsageOut.of(read_overview(of_team(caller(request), team_id), days))


@router.get(
    "/usage", response=UsageOut, auth=ACCOUNT, summary="Everybody's usage",
    operation_id="get_usage",
)  # fmt: skip
def get_usage(request: HttpRequest, days: Days = 30) -> Any:
    """For administrators; days are those of UTC."""
    return UsageOut.of(read_overview(of_everybody(caller(request)), days))


@router.get(
    "/me/usage/export", auth=ANY, summary="Your usage as CSV", operation_id="export_my_usage",
    openapi_extra=CSV,
)  # fmt: skip
def export_my_usage(request: HttpRequest, days: Days = 30) -> Download:
    """A row for each day (of UTC), model, agent and so on. No cell is a formula."""
    return _export(request, mine(caller(request)), days)


@router.get(
    "/teams/{uuid:team_id}/usage/export", auth=READ, summary="A team's usage as CSV",
    operation_id="export_team_usage", openapi_extra=CSV,
)  # fmt: skip
def export_team_usage(request: HttpRequest, team_id: UUID, days: Days = 30) -> Download:
    """As `/me/usage/export`, for owners of the team."""
    return _export(request, of_team(caller(request), team_id), days)


@router.get(
    "/usage/export", auth=ACCOUNT, summary="Everybody's usage as CSV", operation_id="export_usage",
    openapi_extra=CSV,
)  # fmt: skip
def export_usage(request: HttpRequest, days: Days = 30) -> Download:
    """As `/me/usage/export`, for administrators."""
    return _export(request, of_everybody(caller(request)), days)


def _export(request: HttpRequest, whose: Whose, days: int) -> Download:
    spend_for(request, Action.SEARCHES)
    span = last_days(days, zone_of(whose, timezone.get_current_timezone()))
    with tempfile.NamedTemporaryFile(suffix=".csv") as made:  # open still when its name is gone
        rows = write_table(whose, span, Path(made.name))
        if whose.kind != "me":
            audit.record(
                Act.USAGE_EXPORTED, rows=rows, of=whose.kind, team=str(whose.team_id or "")
            )
        return Download(Path(made.name), f"usage-{span.last}.csv", "text/csv; charset=utf-8")
