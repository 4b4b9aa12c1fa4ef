"""Crash by input: what the OpenAPI allows, and much that it does not, is answered; nothing dies.

schemathesis makes requests from the description and near it; they go to a real web process, with
the owner's token and mostly with ids of real things. `make chaos` sends seventy-five times as many.
"""

import http.client
import json
import random
import sys
from collections import Counter

import hypothesis
import pytest
import requests
import schemathesis
from django.contrib.staticfiles.finders import get_finders
from django.db import connections
from hypothesis import HealthCheck, Phase, given
from requests.utils import requote_uri

from knowledge.extraction.process import reading_process
from tests.support.processes import Processes
from tests.support.world import build

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
PATIENCE = 60
BIG = "9" * 400
NUL, LONELY = "\x00", "\ud800"
ODD_IDS = ("%00", "%ff%fe", "..%2f..", "%", "' or 1=1--", "0" * 5000, "%0d%0aX-Y:1", "𝒳", "*")
ODD_BODIES = (
    b"", b"{", b"null", b"[]", b"0", b'""', b"\xff\xfe", b"{}" * 2, b"[" * 20_000, b'{"a":' * 5_000,
    json.dumps({"query": NUL, "text": NUL, "name": NUL, "title": NUL}).encode(),
    b'{"query": "\\ud800", "text": "\\ud800", "name": "\\ud800", "title": "\\ud800"}',
    b'{"query": 1e999, "limit": ' + BIG.encode() + b"}", b'{"limit": -1, "cursor": {}}',
    b'{"name": "' + b"x" * 100_000 + b'"}',
)  # fmt: skip
ODD_TYPES = (
    None, "application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=",
    "application/json; charset=utf-7", "a/" + "b" * 4000, ";",
)  # fmt: skip
ODD_QUERIES = (
    "?cursor=%00", "?limit=" + BIG, "?limit=NaN&limit=", "?after=-1", "?q=%00&q=%ff", "?&&=&",
    "?collection_id=%00", "?start=" + BIG + "&end=" + BIG, "?format=..%2f",
)  # fmt: skip


@pytest.fixture
def world():
    built = build()
    reading_process.close()
    connections.close_all()
    return built


@pytest.fixture
def web(world, tmp_path):
    """The web process; its pages name their files as they are, without packing them first."""
    names = [name for finder in get_finders() for name, _storage in finder.list([])]
    manifest = {"paths": {name: name for name in names}, "version": "1.1", "hash": ""}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    with (tmp_path / "web.log").open("w+") as log:
        processes = Processes(log, PARLEY_MAX_UPLOAD_MB="1", STATIC_ROOT=str(tmp_path))
        try:
            yield processes.serve()
        finally:
            processes.end()
            log.seek(0)
            sys.stdout.write(log.read()[-8_000:])  # shown by pytest when the test has failed


def operations(port):
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/v1/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) > 25
    return found


def fuzz(operation, port, world, examples, *, is_random):
    """Send examples of one operation; the statuses that came, and what was answered with 5xx."""
    failures, statuses = [], Counter()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {world.bearers['owner']}"
    choose = random.Random(operation.label)

    @hypothesis.settings(
        max_examples=examples, derandomize=not is_random, database=None, deadline=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def send(case):
        for name in case.path_parameters or {}:
            if name in world.ids and choose.random() < 0.8:
                case.path_parameters[name] = str(world.ids[name])
        wanted = case.as_transport_kwargs(base_url=f"http://127.0.0.1:{port}")
        try:
            # Only the status: an event stream goes on for as long as its turn.
            with session.request(**wanted, stream=True, timeout=PATIENCE) as answer:
                statuses[answer.status_code] += 1
                if answer.status_code >= 500:
                    failures.append((answer.status_code, wanted))
        except requests.exceptions.InvalidHeader:
            pass  # it never left this process

    send()
    return statuses, failures


def check_described(web, world, examples, *, is_random):
    process, port = web
    statuses, failures = Counter(), []
    for operation in operations(port):
        came, failed = fuzz(operation, port, world, examples, is_random=is_random)
        statuses += came
        failures += failed
    assert failures[:5] == []
    assert sum(n for status, n in statuses.items() if status < 300) > 40, statuses  # it gets inside
    assert statuses[429] < statuses.total() / 4, statuses
    assert process.poll() is None, "the web process died"


@pytest.mark.timeout(300)
def test_nothing_that_is_sent_is_answered_with_5xx_or_ends_the_process(web, world):
    check_odd(web, world)
    check_described(web, world, examples=2, is_random=False)


@pytest.mark.chaos
@pytest.mark.timeout(5400)
def test_many_random_requests_are_never_answered_with_5xx(web, world):
    check_described(web, world, examples=150, is_random=True)


def send_raw(port, method, path, body, kind, token):
    """Past every client library; the status, or None where the server hung up without an answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.putrequest(method, path, skip_accept_encoding=True)
        client.putheader("Authorization", f"Bearer {token}")
        if kind is not None:
            client.putheader("Content-Type", kind)
        if body is not None:
            client.putheader("Content-Length", str(len(body)))
        client.endheaders(body)
        return client.getresponse().status
    except (http.client.HTTPException, ConnectionError):
        return None
    finally:
        client.close()


def check_odd(web, world):
    """A few odd bodies, ids and queries for every operation; among them `DELETE` with no body."""
    process, port = web
    token = world.bearers["reader"]
    choose = random.Random(7)
    failures, answered = [], 0
    for operation in operations(port):
        path = "/api/v1" + operation.path.removeprefix("/api/v1")
        real = path.format(**{name: world.ids[name] for name in _names(path)})
        odd = path.format(**{name: choose.choice(ODD_IDS) for name in _names(path)})
        attempts = [
            (real, None, None),
            (odd, None, None),
            (real + choose.choice(ODD_QUERIES), None, None),
        ]
        attempts += [
            (real, choose.choice(ODD_BODIES), choose.choice(ODD_TYPES)),
            (real, choose.choice(ODD_BODIES), "application/json"),
            (odd, choose.choice(ODD_BODIES), "application/json"),
        ]
        for where, body, kind in attempts:
            target = requote_uri(where).encode("ascii", "ignore").decode()
            status = send_raw(port, operation.method.upper(), target, body, kind, token)
            answered += status is not None
            if status is not None and status >= 500:
                failures.append((status, operation.label, target[:200], body and body[:80], kind))
    assert failures == []
    assert answered > 150
    assert process.poll() is None, "the web process died"
    assert send_raw(port, "GET", "/health", None, None, token) == 200


def _names(path):
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
