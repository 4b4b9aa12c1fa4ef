"""Postgres and Redis for one test run or one command: quick, forgetful, gone at the end.

`python -m embedded.throwaway manage.py migrate` runs a command on such servers.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded import postgres, redis
from embedded.database import ensure_database
from embedded.home import Home

FORGETFUL_REDIS = {"appendonly": "no"}


@contextmanager
def throwaway_servers(home: Home | None = None, *, is_durable: bool = False) -> Iterator[Home]:
    """A state folder with both servers running and an empty database `parley`.

    `is_durable` runs them exactly as `up` does: for measurements.

    The servers are tethered to this process, so they end with it however it ends. The folder is
    removed at the end.
    """
    home = home or Home(Path(tempfile.mkdtemp(prefix="parley-")))
    try:
        with ExitStack() as running:
            home.prepare()
            postgres.prepare(home, sync=False)
            fast = {} if is_durable else postgres.FAST_AND_FORGETFUL
            running.callback(postgres.stop, postgres.start(home, fast))
            forgetful = {} if is_durable else FORGETFUL_REDIS
            running.callback(redis.stop, redis.start(home, forgetful))
            ensure_database(home.database_url())
            yield home
    finally:
        for folder in {home.path, home.run}:
            shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    """Run `python <command>` on throwaway servers; returns its exit status."""
    with throwaway_servers() as home:
        environment = os.environ | {"PARLEY_HOME": str(home.path)}
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        return subprocess.run([sys.executable, *command], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
