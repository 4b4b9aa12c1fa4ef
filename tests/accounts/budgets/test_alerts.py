"""At the warning and at the stop: once each in a period, by e-mail and by a signed webhook."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail

from accounts.budgets import alerts, services
from accounts.budgets.models import Budget, BudgetBalance
from events import jobs
from events.models import Job
from security import resealing
from tests.accounts.budgets.conftest import attempt, balance, demand, together, used

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hook():
    """A server that keeps what it is told."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            told.append((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    thread.join()
    server.server_close()


def run_jobs() -> None:
    for job in Job.objects.filter(task=alerts.TELL, finished_at=None):
        jobs.run(str(job.pk))
        job.refresh_from_db()
        assert job.status == Job.Status.SUCCEEDED, job.reason


def test_each_mark_is_told_once_in_a_period(budget, alice):
    alice.language = "zh-hans"
    alice.save()
    spring = budget(limit=100, warn_at=50, emails=[alice.email, "ops@example.org"])
    assert alerts.look() == 0
    together(attempt(demand(None, 10, 80), used(10, 45)))
    assert [alerts.look(), alerts.look()] == [1, 0]
    run_jobs()
    assert [(one.to, "Spring" in one.subject) for one in mail.outbox] == [
        ([alice.email], True), (["ops@example.org"], True),
    ]  # fmt: skip
    assert "55 tokens of 100 tokens are used" in mail.outbox[1].body
    together(attempt(demand(None, 10, 80)))
    assert balance(spring).refused_at is not None, "a refusal is a stop too"
    assert [alerts.look(), alerts.look()] == [1, 0]
    run_jobs()
    assert len(mail.outbox) == 4
    assert "What does not fit is refused." in mail.outbox[3].body


def test_a_webhook_is_told_with_a_signature_that_can_be_checked(budget, admin, hook):
    address, told = hook
    spring, secret = services.make_budget(
        admin, {"name": "Spring", "scope": "installation", "limit": 20, "webhook": address}
    )
    together(attempt(demand(None, 10, 10), used(10, 10)))
    assert alerts.look() == 1, "the stop says all; the warning is not told behind it"
    run_jobs()
    ((headers, body),) = told
    assert json.loads(body)["type"] == "budget.stop"
    assert json.loads(body)["used"] == "20"
    head = {name.lower(): value for name, value in headers.items()}
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert head["webhook-signature"] == f"v1,{digest}"
    assert alerts.look() == 0
    assert BudgetBalance.objects.get(budget=spring).warned_at is not None


def test_the_secret_of_a_webhook_is_sealed_anew_with_the_keys(admin, settings):
    settings.PARLEY_SECRET_KEYS = ["a" * 40]
    fields = {"name": "S", "scope": "installation", "limit": 1, "webhook": "https://example.org/"}
    spring, secret = services.make_budget(admin, fields)
    settings.PARLEY_SECRET_KEYS = ["b" * 40, "a" * 40]
    assert [resealing.reseal_all(), resealing.reseal_all()] == [1, 0]
    settings.PARLEY_SECRET_KEYS = ["b" * 40]
    spring.refresh_from_db()
    assert services.secret_of(spring) == secret
    settings.PARLEY_SECRET_KEYS = ["c" * 40]
    assert resealing.list_unreadable() == ["S"]


def test_an_address_of_the_clouds_own_is_not_called(budget, admin):
    spring, _ = services.make_budget(
        admin,
        {"name": "S", "scope": "installation", "limit": 1, "webhook": "http://169.254.169.254/x"},
    )
    together(attempt(demand(None, 0, 1), used(0, 1)))
    alerts.look()
    job = Job.objects.get(task=alerts.TELL)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.status != Job.Status.SUCCEEDED
    assert Budget.objects.filter(pk=spring.pk).exists()
