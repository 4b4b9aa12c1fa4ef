"""What the Makefile starts starts, in the environment that it gives."""

import os
import subprocess

import pytest

from embedded.home import REPOSITORY


@pytest.mark.parametrize(
    "command",
    [("shots", "ARGS=--help"), ("up", "--dry-run"), ("help",), ("bench", "--dry-run")],
    ids=lambda command: command[0],
)
def test_a_target_starts(command: tuple[str, ...]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        ["make", "--old-file", ".venv/.installed-dev", "--old-file", ".venv/.installed", *command],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
