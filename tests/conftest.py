"""Every test runs on a real Postgres with pgvector and a real Redis, made for this run alone."""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

# The hundreds of processes that tests start compile each file once, whatever this machine says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A short path: Unix sockets live below it. Set before Django reads its settings.
HOME = Path(tempfile.mkdtemp(prefix="parley-test-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # also when collection fails
os.environ["PARLEY_HOME"] = str(HOME)
# Not in pyproject.toml: pytest-django would read the settings before this file is read.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)
os.environ["PARLEY_OCR"] = "off"  # whatever is installed here: tests that mean it turn it on

import django  # noqa: E402
import pytest  # noqa: E402
from django.conf import settings  # noqa: E402

# Nothing here guards a password, and pages name their files without packing them first.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)

django.setup()
# Workers of pytest-xdist must come by here before anybody reads the settings, as above.
del os.environ["DJANGO_SETTINGS_MODULE"]

from django.apps import apps  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from hypothesis import HealthCheck  # noqa: E402
from hypothesis import settings as hypothesis  # noqa: E402

from embedded.home import Home  # noqa: E402
from embedded.throwaway import throwaway_servers  # noqa: E402
from knowledge.extraction.process import reading_process  # noqa: E402
from tests.support import emptying, prepared  # noqa: E402

# No test depends on a time, nor does the making of its examples.
hypothesis.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("parley")

# Named apps make the flush after a transactional test cascade to tables without a model.
TransactionTestCase.available_apps = [app.name for app in apps.get_app_configs()]
emptying.use()
COLLECTIONS = (50_000, 20, 20)  # of what tests make: seldom, most of it frees itself

pytest_plugins = ["tests.support.cast", "tests.support.in_turn", "tests.support.second_try"]


def pytest_configure(config):
    if getattr(config.option, "numprocesses", None):
        prepared.share(HOME / "prepared")


def pytest_collection_finish(session):
    """What was imported and collected stays until the end; nobody need look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    if session.items and not session.config.option.collectonly:
        prepared.prepare()  # here no time of a test is running


@pytest.fixture(scope="session", autouse=True)
def _servers():
    home = Home(HOME)
    prepared.furnish(home)
    with throwaway_servers(home):
        yield


@pytest.fixture(scope="session", autouse=True)
def _reader():
    """Whoever reads files first starts it, for all that follow."""
    yield
    reading_process.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_servers):
    """The database server must be there before pytest-django makes the test database."""


@pytest.fixture(scope="session")
def django_db_keepdb():
    """The test database goes with its server, whatever connection a thread still holds to it."""
    return True
