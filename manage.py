#!/usr/bin/env python
"""Parley's command line: `manage.py help` lists what it can do."""

import gc
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NEW_OBJECTS = 100_000  # after which cycles are looked for; what is imported has none to be freed


def main() -> None:
    # `platform/` is a source root, not a package: the standard library keeps that name.
    sys.path.insert(1, str(ROOT / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    try:
        run()
    except ModuleNotFoundError as missing:
        package = str(missing.name).partition(".")[0]
        if any((folder / package).exists() for folder in (ROOT, ROOT / "platform")):
            raise  # one of ours: that is a mistake in the code, not in the installation
        sys.exit(f"The package {package} is missing. `make up` installs what Parley needs.")


def run() -> None:
    if sys.argv[1:2] == ["up"]:  # never loads Django: it only watches over processes that do
        from embedded import up  # noqa: PLC0415

        sys.exit(up.main(sys.argv[2:]))
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    from observability.patience import is_away  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"The settings are not right: {problem}")
    except OperationalError as problem:
        if not is_away(problem):
            raise
        sys.exit("Postgres does not answer. Start Parley with `make up`, or correct DATABASE_URL.")


if __name__ == "__main__":
    main()
