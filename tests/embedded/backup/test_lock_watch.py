import time

import psycopg
import pytest
from django.db import connection

from embedded.backup.lock_watch import LockWatch
from embedded.home import Home

pytestmark = pytest.mark.django_db(transaction=True)


def test_f31_locks_on_existing_tables_are_seen_with_their_time():
    url = Home.from_environment().database_url(connection.settings_dict["NAME"])
    with LockWatch(url) as watch, psycopg.connect(url, autocommit=True) as other:
        with other.transaction():
            other.execute("lock table agents_agent in access exclusive mode")
            time.sleep(0.3)  # the lock's age is what is measured
        with other.transaction():
            other.execute("lock table accounts_user in share mode")
            time.sleep(0.1)
        with other.transaction():
            other.execute("create table brand_new (id int)")
            time.sleep(0.05)
            other.execute("drop table brand_new")
    found = {held.table: held for held in watch.report()}
    assert found["agents_agent"].seconds > 0.25
    assert found["agents_agent"].keeps_out == "reads and writes"
    assert found["accounts_user"].keeps_out == "writes"
    assert "brand_new" not in found
