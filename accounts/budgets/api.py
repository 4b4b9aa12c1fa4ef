"""Budgets in the JSON API: administrators set them, everybody sees what is left of theirs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from accounts.budgets import services
from accounts.budgets.errors import BudgetRefused
from accounts.budgets.models import Budget
from accounts.budgets.schemas import BudgetIn, BudgetOut, BudgetPatch, QuotaOut
from accounts.budgets.selectors import budgets_for, quotas_of, quotas_of_budget
from accounts.budgets.subjects import agents_by_id
from accounts.callers import ACCOUNT, ANY, caller

router = Router(tags=["Budgets"])
ONE = "/budgets/{uuid:budget_id}"
MOST = 1000


@router.get(
    "/me/quota", response=list[QuotaOut], auth=ANY, summary="What you have left",
    operation_id="get_quota",
)  # fmt: skip
def get_quota(request: HttpRequest) -> Any:
    """Of your budgets, those of your tokens, and those of teams that you own."""
    return [QuotaOut.of(quota) for quota in quotas_of(caller(request))]


@router.get(
    "/budgets", response=list[BudgetOut], auth=ACCOUNT, summary="List the budgets",
    operation_id="list_budgets",
)  # fmt: skip
def list_budgets(request: HttpRequest) -> Any:
    """For administrators; at most 1000."""
    found = budgets_for(caller(request), "view").order_by("scope", "name", "pk")
    return [BudgetOut.of(budget) for budget in found[:MOST]]


@router.post(
    "/budgets", response={201: BudgetOut}, auth=ACCOUNT, summary="Make a budget",
    operation_id="make_budget",
)  # fmt: skip
def make_budget(request: HttpRequest, body: BudgetIn) -> Any:
    """For administrators. It counts from now on, and binds within two seconds. `secret`, with
    which its webhook is signed, is told this once."""
    budgets_for(caller(request), "add")
    if body.scope in {"agent", "token"} and body.unit == "storage":
        raise BudgetRefused(BudgetRefused.no_files)
    if body.scope == "installation" and body.subject_id is not None:
        raise BudgetRefused(BudgetRefused.nobody)
    if body.unit == "money" and not body.currency:
        raise BudgetRefused(BudgetRefused.no_currency)
    if body.scope == "agent" and body.subject_id and not agents_by_id([body.subject_id]):
        raise BudgetRefused(BudgetRefused.no_agent)
    made, secret = services.make_budget(caller(request), body.fields())
    return Status(201, BudgetOut.of(made, secret))


@router.get(
    ONE, response=BudgetOut, auth=ACCOUNT, summary="Read a budget", operation_id="get_budget"
)
def get_budget(request: HttpRequest, budget_id: UUID) -> Any:
    """For administrators."""
    return BudgetOut.of(_found(request, budget_id, "view"))


@router.patch(
    ONE, response=BudgetOut, auth=ACCOUNT, summary="Change a budget", operation_id="change_budget"
)
def change_budget(request: HttpRequest, budget_id: UUID, body: BudgetPatch) -> Any:
    """For administrators. What was used stays used. Another webhook gets another `secret`."""
    found = _found(request, budget_id, "change")
    return BudgetOut.of(*services.change_budget(caller(request), found, body.fields()))


@router.delete(
    ONE, response={204: None}, auth=ACCOUNT, summary="Delete a budget", operation_id="delete_budget"
)
def delete_budget(request: HttpRequest, budget_id: UUID) -> Any:
    """For administrators; what was used of it is forgotten."""
    services.delete_budget(caller(request), _found(request, budget_id, "delete"))
    return Status(204, None)


@router.get(
    f"{ONE}/quotas", response=list[QuotaOut], auth=ACCOUNT, summary="Who has used how much",
    operation_id="list_quotas",
)  # fmt: skip
def list_quotas(request: HttpRequest, budget_id: UUID) -> Any:
    """For administrators: each subject of this period, the largest use first; at most 200."""
    return [QuotaOut.of(quota) for quota in quotas_of_budget(_found(request, budget_id, "view"))]


def _found(request: HttpRequest, budget_id: UUID, act: str) -> Budget:
    return get_object_or_404(budgets_for(caller(request), act), pk=budget_id)
