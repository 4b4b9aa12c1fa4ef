"""A Parley of its own for a measurement: fresh Postgres and Redis, removed afterwards."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def django_on_a_throwaway_home() -> Iterator[Path]:
    """Start the embedded servers in a temporary folder, migrate, and set Django up on them.

    The servers are tuned as in production and flush to disk as there.
    """
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    os.environ |= {"PARLEY_HOME": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR"}
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    from embedded.home import Home
    from embedded.throwaway import throwaway_servers

    with throwaway_servers(Home(folder), is_durable=True):
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield folder
        connections.close_all()
