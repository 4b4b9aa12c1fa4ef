"""Rows that hold a sealed secret, in whatever app: after a change of keys all are sealed anew."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models, transaction

from security import audit
from security.acts import Act
from security.secrets import SecretUnreadable, is_current, open_, seal

Context = Callable[[Any], str]
_kept: dict[type[models.Model], Context] = {}


def keeps_secrets(model: type[models.Model], context: Context) -> None:
    """Rows of this model have a sealed `secret`, or none, bound to the row by its `context`."""
    _kept[model] = context


def reseal_all() -> int:
    """Seal every secret again that the newest key did not seal, and say how many there were.

    Each row is its own transaction: interrupted at any point and run again, it ends the same. What
    no key here opens stays as it is; `list_unreadable` names it.
    """
    return sum(_reseal(model, pk) for model in _kept for pk in _holders(model))


def list_unreadable() -> list[str]:
    """What rows are called whose secret no key of this installation opens."""
    return sorted(
        str(row)
        for model, context in _kept.items()
        for row in model._default_manager.exclude(secret=None).iterator()
        if not _opens(row, context)
    )


def _holders(model: type[models.Model]) -> Iterator[Any]:
    return iter(list(model._default_manager.exclude(secret=None).values_list("pk", flat=True)))


@transaction.atomic
def _reseal(model: type[models.Model], pk: Any) -> bool:
    row: Any = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None or not row.secret or is_current(bytes(row.secret)):
        return False
    context = _kept[model](row)
    try:
        row.secret = seal(open_(bytes(row.secret), context), context)
    except SecretUnreadable:
        return False
    row.save(update_fields=["secret"])
    audit.record(Act.KEY_RESEALED, row)
    return True


def _opens(row: Any, context: Context) -> bool:
    try:
        open_(bytes(row.secret), context(row))
    except SecretUnreadable:
        return False
    return True
