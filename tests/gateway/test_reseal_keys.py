"""Statement 18: a rotation that is killed half-way, and run again, loses nothing."""

import os
import subprocess
import sys
import time

import psycopg
import pytest
from django.db import connection

from embedded.home import REPOSITORY, Home
from gateway.models import Endpoint
from gateway.routing.routes import secret_context
from gateway.services import store_key
from security.resealing import list_unreadable
from security.secrets import SecretUnreadable, is_current, open_

pytestmark = [
    pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300),
]  # fmt: skip
OLD, NEW = "old-" * 10, "new-" * 10
COUNT = 60
WAITS = """
    select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                   and datname = current_database() and query ilike '%for update%')
"""


@pytest.fixture
def url():
    return Home.from_environment().database_url(connection.settings_dict["NAME"])


@pytest.fixture
def apart(settings, tmp_path):
    """A state folder without a key file: only the keys that the test names are known."""
    settings.PARLEY_HOME = Home(tmp_path)
    settings.PARLEY_SECRET_KEYS = [OLD]
    for number in range(COUNT):
        endpoint = Endpoint.objects.create(name=f"e{number:02}", base_url="http://127.0.0.1:9/v1")
        store_key(endpoint, f"sk-{number}")
    return settings


def start(url, keys, home):
    return subprocess.Popen(
        [sys.executable, "manage.py", "reseal_keys"], cwd=REPOSITORY, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ
        | {"DATABASE_URL": url, "PARLEY_SECRET_KEYS": ",".join(keys), "PARLEY_HOME": str(home)},
    )  # fmt: skip


def opens_under(settings, endpoint):
    """The known keys, each tried alone, that open what the endpoint holds."""
    found = []
    for key in (OLD, NEW):
        settings.PARLEY_SECRET_KEYS = [key]
        try:
            word = open_(endpoint.secret, secret_context(endpoint.id))
        except SecretUnreadable:
            continue
        assert word == f"sk-{int(endpoint.name[1:])}"
        found.append(key)
    return found


def test_s18_killed_half_way_and_run_again(apart, url, tmp_path):
    ids = list(Endpoint.objects.exclude(secret=None).values_list("id", flat=True))
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as observer:
        # The rotation comes as far as this row and waits: there it is killed.
        other.execute("select from gateway_endpoint where id = %s for update", [ids[COUNT // 2]])
        process = start(url, [NEW, OLD], tmp_path)
        deadline = time.monotonic() + 60
        while not observer.execute(WAITS).fetchone()[0]:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.kill()
        process.communicate()
    keys = [opens_under(apart, endpoint) for endpoint in Endpoint.objects.all()]
    assert [NEW] in keys
    assert [OLD] in keys
    assert all(len(found) == 1 for found in keys)

    again = start(url, [NEW, OLD], tmp_path)
    said, errors = again.communicate(timeout=100)
    assert again.returncode == 0, errors
    assert f"{keys.count([OLD])} secrets were sealed anew" in said
    apart.PARLEY_SECRET_KEYS = [NEW]
    assert all(is_current(endpoint.secret) for endpoint in Endpoint.objects.all())
    assert all(opens_under(apart, endpoint) == [NEW] for endpoint in Endpoint.objects.all())


def test_s18_what_no_key_opens_stops_nothing_and_is_named(apart, url, tmp_path):
    apart.PARLEY_SECRET_KEYS = ["lost-" * 8]
    store_key(Endpoint.objects.get(name="e03"), "sk-lost")
    process = start(url, [NEW, OLD], tmp_path)
    said, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert f"{COUNT - 1} secrets were sealed anew" in said
    assert "e03" in errors
    assert "Traceback" not in errors
    apart.PARLEY_SECRET_KEYS = [NEW]
    assert list_unreadable() == ["e03"]
