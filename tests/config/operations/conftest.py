"""Machines to back up and to restore on: the test's own database, and new ones beside it."""

import io
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from psycopg import sql

from config.operations import restoring
from config.operations.backing_up import back_up
from embedded.home import REPOSITORY, Home
from gateway.models import Endpoint
from gateway.services import store_key
from knowledge import services

SECRET = "sk-" + "x" * 40 + "last"


class Machine:
    """A Parley elsewhere: its own state folder and its own database, which may not exist yet."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = Home(home), url

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=REPOSITORY, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ
            | {"PARLEY_HOME": str(self.home.path), "DATABASE_URL": self.url, "NO_COLOR": "1"}
            | environment,
        )  # fmt: skip

    def manage(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=250)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def rows(self, query):
        with psycopg.connect(self.url) as other:
            return other.execute(query).fetchall()

    def restore(self, settings, path, **options):
        """In this process, for what need not be seen from outside."""
        settings.DATABASE_URL, settings.PARLEY_HOME = self.url, self.home
        settings.FILES_ROOT = self.home.files
        self.home.prepare()
        restoring.restore(path, restoring.examine(path), **{"replace": False} | options)


def wait_until(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def server_url(name: str) -> str:
    return Home.from_environment().database_url(name)


@pytest.fixture
def here(transactional_db, settings) -> Machine:
    """This process's own machine, on the test's database."""
    settings.DATABASE_URL = server_url(connection.settings_dict["NAME"])
    yield Machine(Path(django_settings.PARLEY_HOME.path), settings.DATABASE_URL)
    connections.close_all()


@pytest.fixture
def elsewhere(tmp_path) -> Machine:
    """An empty machine whose database has to be made."""
    name = f"elsewhere_{uuid.uuid4().hex[:8]}"
    yield Machine(tmp_path / "elsewhere", server_url(name))
    with psycopg.connect(server_url("postgres"), autocommit=True) as maintenance:
        maintenance.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


@pytest.fixture
def library(here, alice):
    """A collection with three documents, and a stored key."""
    collection = services.create_collection(alice, "Library")
    for number in range(3):
        services.add_document(
            alice, collection, io.BytesIO(f"Document {number}. ".encode() * 50), f"{number}.txt"
        )
    store_key(Endpoint.objects.create(name="m", base_url="http://127.0.0.1:9/v1"), SECRET)
    return collection


@pytest.fixture
def backup(library, tmp_path) -> Path:
    path = tmp_path / "backup.tar"
    back_up(path)
    connections.close_all()
    return path
