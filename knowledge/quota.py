"""Files count for the budgets of storage of whoever added them, until they are gone for good."""

from collections.abc import Collection as People
from uuid import UUID

from django.db.models import Sum

from accounts.budgets import storage
from accounts.models import User
from accounts.payers import payer_of
from gateway.errors import BudgetExhausted
from knowledge.errors import QuotaReached
from knowledge.models import Document, DocumentVersion


def require_room(user: User | None, size: int) -> None:
    """First in the transaction that adds a file of this size; raises QuotaReached."""
    try:
        storage.require_room(payer_of(user, "other"), size)
    except BudgetExhausted as error:
        raise QuotaReached(str(error)) from error


def count_bytes(people: People[UUID] | None) -> int:
    """Of the files that these people added, or that anybody did; also of those that are deleted and
    may still be taken back, and of other versions."""
    size = 0
    for table in (Document, DocumentVersion):
        rows = table.objects.all() if people is None else table.objects.filter(added_by__in=people)
        size += rows.aggregate(size=Sum("size", default=0))["size"]
    return size
