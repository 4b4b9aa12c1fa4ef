"""The Postgres that a command works on: the one that runs, or one started for it alone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from embedded import postgres
from embedded.database import ensure_database
from embedded.errors import StartupError
from embedded.home import Home


@contextmanager
def postgres_at_hand(home: Home, url: str, *, alone: bool = False) -> Iterator[None]:
    """Postgres answers at `url` inside this block.

    An embedded one is started, and stopped at the end, when Parley is not running. `alone` keeps
    `up` from running meanwhile: raises `StartupError` when it does.
    """
    home.prepare()
    with ExitStack() as held:
        try:
            held.enter_context(home.lock())
        except StartupError:
            if alone:
                raise
            yield
            return
        if url == home.database_url() and not _answers(url):
            postgres.stop_leftover(home)
            postgres.prepare(home)
            held.callback(postgres.stop, postgres.start(home))
            ensure_database(url)
        yield


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError as problem:
        return "does not exist" in str(problem) and "database" in str(problem)
    return True
