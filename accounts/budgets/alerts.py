"""Who looks after a budget hears of it when it is nearly used up, and when it is: once each in a
period, by e-mail and by a signed webhook."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any, Literal

import aiohttp
import orjson
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.budgets.models import Budget, BudgetBalance
from accounts.budgets.services import secret_of
from accounts.budgets.storage import used_of
from accounts.budgets.subjects import name_of
from accounts.budgets.wording import amount
from accounts.models import User
from events import jobs
from events.context import JobContext
from security.outbound.connecting import guarded_connector, open_session
from security.outbound.policy import operator_policy
from security.outbound.targets import parse_target

Level = Literal["warning", "stop"]
TELL = "accounts.budgets.alerts.tell"
SECONDS = 10.0
AT_ONCE = 200


def look() -> int:
    """By the clock: make a job for each alert that is due; how many."""
    _refresh_storage()
    now = timezone.now()
    current = BudgetBalance.objects.filter(ends_at__gt=now, budget__is_enabled=True)
    used = current.annotate(used=F("settled") * 100, limit=F("budget__limit"))
    reached = Q(settled__gte=F("limit")) | Q(refused_at__isnull=False, budget__is_hard=True)
    near = Q(used__gte=F("limit") * F("budget__warn_at")) | reached
    stops = _due(used.filter(reached, stopped_at=None), "stopped_at", "stop")
    return stops + _due(used.filter(near, warned_at=None), "warned_at", "warning")


def _due(found: Any, mark: str, level: Level) -> int:
    """Marked and enqueued in one transaction: told once, and never forgotten."""
    count = 0
    for pk in list(found.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            row = BudgetBalance.objects.select_for_update().filter(pk=pk, **{mark: None}).first()
            if row is None:
                continue
            is_warned_too = level == "stop" and row.warned_at is None
            marks = [mark, *(["warned_at"] if is_warned_too else [])]
            for name in marks:
                setattr(row, name, timezone.now())
            row.save(update_fields=marks)
            jobs.enqueue(TELL, {"balance_id": str(pk), "level": level})
            count += 1
    return count


def _refresh_storage() -> None:
    """Of storage the balance follows what is there; below the mark it may be told of again."""
    rows = BudgetBalance.objects.filter(budget__unit=Budget.Unit.STORAGE).select_related("budget")
    for row in rows:
        used = used_of(row.budget.scope, row.subject_id)
        is_near = used * 100 >= row.budget.limit * row.budget.warn_at
        marks = {} if is_near else {"warned_at": None, "stopped_at": None}
        if used != row.settled or (not is_near and row.warned_at):
            BudgetBalance.objects.filter(pk=row.pk).update(settled=used, **marks)


def tell(context: JobContext, balance_id: str, level: Level) -> None:
    """The job: e-mail and webhook. A failure is tried again, and may tell twice, never not."""
    found = BudgetBalance.objects.select_related("budget").filter(pk=balance_id).first()
    if found is None:
        return
    owner = name_of(found.budget.scope, found.subject_id)
    _mail(found, owner, level)
    context.check()
    if found.budget.webhook:
        async_to_sync(_post)(found.budget, payload(found, owner, level))


def _mail(balance: BudgetBalance, owner: str, level: Level) -> None:
    """In the language of whoever has an account with the address."""
    people = User.objects.filter(email__in=[one.lower() for one in balance.budget.emails])
    languages = {user.email.lower(): user.language for user in people}
    for address in balance.budget.emails:
        language = languages.get(address.lower()) or settings.LANGUAGE_CODE
        with translation.override(language):
            subject, text = words(balance, owner, level)
            send_mail(subject, text, None, [address])


def words(balance: BudgetBalance, owner: str, level: Level) -> tuple[str, str]:
    budget = balance.budget
    values = {
        "name": budget.name,
        "owner": owner,
        "used": amount(budget.unit, balance.settled, budget.currency),
        "limit": amount(budget.unit, budget.limit, budget.currency),
        "resets": timezone.localtime(balance.ends_at).strftime("%Y-%m-%d %H:%M %Z"),
    }
    if level == "warning":
        subject = _("“{name}” is nearly used up").format(**values)
        text = _("“{name}” of {owner}: {used} of {limit} are used.")
    elif budget.is_hard:
        subject = _("“{name}” is used up").format(**values)
        text = _("“{name}” of {owner}: {used} of {limit} are used. What does not fit is refused.")
    else:
        subject = _("“{name}” is used up").format(**values)
        text = _("“{name}” of {owner}: {used} of {limit} are used. Nothing is refused.")
    if budget.unit != Budget.Unit.STORAGE:
        resets = _("It resets on {resets}.")
        text = f"{text} {resets}"
    return subject, text.format(**values)


def payload(balance: BudgetBalance, owner: str, level: Level) -> dict[str, Any]:
    """What a webhook is told; `id` is the same when it is told again."""
    budget = balance.budget
    return {
        "type": f"budget.{level}",
        "id": f"{balance.pk}:{level}",
        "budget": {"id": str(budget.pk), "name": budget.name, "scope": budget.scope},
        "owner": owner,
        "subject_id": str(balance.subject_id),
        "unit": budget.unit,
        "currency": budget.currency,
        "used": f"{balance.settled.normalize():f}",
        "limit": f"{budget.limit.normalize():f}",
        "stops": budget.is_hard,
    }


def signed(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: whoever knows the secret can tell that it is from here."""
    stamp = str(int(at.timestamp()))
    text = f"{message_id}.{stamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


async def _post(budget: Budget, told: dict[str, Any]) -> None:
    """Raises whatever went wrong, and OSError for an answer that is no success."""
    parse_target(budget.webhook)
    body = orjson.dumps(told)
    secret = secret_of(budget)
    headers = signed(secret, told["id"], timezone.now(), body)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    connector = guarded_connector(operator_policy())
    async with (
        open_session(connector, timeout=timeout) as session,
        session.post(budget.webhook, data=body, headers=headers, allow_redirects=False) as response,
    ):
        if response.status >= 300:
            raise OSError(f"The webhook of a budget answered {response.status}.")
