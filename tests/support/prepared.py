"""What all processes of one run need is made by the first of them and copied by the others.

Migrating an empty database takes half a minute on a busy machine, packing the pages' files and
converting the embedder's weights as long again. All of it is tested where an installation begins.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from embedded import postgres
from embedded.database import ensure_database
from embedded.home import REPOSITORY, Home
from gateway.embedding.minilm import ensure_model

PLACE = "PARLEY_TEST_PREPARED"
FOR_TESTS, FOR_PRODUCTS = "test_parley", "parley"  # as Django names them
PACK = """
import django
django.setup()
from config.preparation import collect_static_files
collect_static_files()
"""


def share(folder: Path) -> None:
    """In the process that starts the others: where they find it; with one process there is none."""
    os.environ.setdefault(PLACE, str(folder))


def prepare() -> None:
    """Make it, or wait for who makes it."""
    if PLACE in os.environ and "PYTEST_XDIST_WORKER" in os.environ:
        _made(Path(os.environ[PLACE]))


def furnish(home: Home, *, is_product: bool = False) -> None:
    """Before its servers start: a migrated cluster and the embedder's files, if they are shared.

    A product gets the packed files of its pages, too.
    """
    shared = os.environ.get(PLACE)
    if shared is None:
        return
    home.prepare()
    made = _made(Path(shared))
    for name in ("postgres", "models", *(["static"] if is_product else [])):
        target = home.path / name
        if target.exists():
            target.rmdir()
        subprocess.run(["cp", "-a", made.path / name, target], check=True)


def _made(shared: Path) -> Home:
    draft, made = Home(shared / "draft"), Home(shared / "made")
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.path.exists():
            shutil.rmtree(draft.path, ignore_errors=True)
            _make(draft)
            draft.path.rename(made.path)
    return made


def _make(home: Home) -> None:
    home.prepare()
    packing = _start(home, "-c", PACK)
    postgres.prepare(home, sync=False)
    server = postgres.start(home, postgres.FAST_AND_FORGETFUL)
    try:
        ensure_database(home.database_url(FOR_TESTS))
        migrating = _start(home, "manage.py", "migrate", "--verbosity=0")
        ensure_model(home.models)
        assert migrating.wait() == 0
        with psycopg.connect(home.database_url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {FOR_PRODUCTS} template {FOR_TESTS}")
        assert packing.wait() == 0
    finally:
        packing.kill()
        packing.wait()
        postgres.stop(server)
    shutil.rmtree(home.run, ignore_errors=True)


def _start(home: Home, *command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, *command], cwd=REPOSITORY, stdout=subprocess.DEVNULL,
        env=os.environ | {
            "PARLEY_HOME": str(home.path),
            "DATABASE_URL": home.database_url(FOR_TESTS),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": "platform",
        },
    )  # fmt: skip
