"""Failures of an operator's command: one line on stderr, exit status 1, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import Error

from embedded.console import say_problem
from embedded.errors import StartupError

FAILED = 1


@contextmanager
def clearly() -> Iterator[None]:
    try:
        yield
    except StartupError as problem:
        say_problem(str(problem))
        raise SystemExit(FAILED) from None
    except (psycopg.Error, Error) as problem:
        words = str(problem).strip().splitlines() or [type(problem).__name__]
        say_problem(f"Postgres refused: {words[0]}")
        raise SystemExit(FAILED) from None
    except KeyboardInterrupt:
        say_problem("Stopped. Nothing was changed.")
        raise SystemExit(130) from None
