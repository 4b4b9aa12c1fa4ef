"""What the command line says when a command cannot work."""

import os
import subprocess
import sys

import pytest

from embedded.home import REPOSITORY


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_command_without_postgres_says_so_in_one_line(tmp_path):
    environment = {"PARLEY_HOME": str(tmp_path), "DATABASE_URL": "postgres://x@127.0.0.1:9/x"}
    done = subprocess.run(
        [sys.executable, "manage.py", "reseal_keys"], cwd=REPOSITORY, check=False,
        capture_output=True, text=True, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # no log
    assert told[-1] == (
        "Postgres does not answer. Start Parley with `make up`, or correct DATABASE_URL."
    )
