"""A test that fails in CI is tried again, and what its file shares is closed all the same."""

import os
import subprocess
import sys

TESTS = """
import pytest

tries = []

@pytest.fixture(scope="session")
def late():
    tries.append("late")
    assert len(tries) > 1
    yield
    print("late closed")

@pytest.fixture(scope="module")
def shared(late):
    yield
    print("shared closed")

@pytest.fixture
def own(late):
    yield
    tries.append("own")
    assert tries.count("own") > 1

def test_of_what_opens_at_the_second_try(shared): pass
def test_that_closes_at_the_second_try(own, shared): pass
def test_that_fails_twice(shared): assert tries == []
def test_that_passes(shared): pass
"""
LATER = "def test_of_another_file(): print('another file')"


def test_each_failure_has_a_second_try_and_the_report_says_so(tmp_path):
    (tmp_path / "test_first.py").write_text(TESTS)
    (tmp_path / "test_then.py").write_text(LATER)
    plugins = ["-p", "tests.support.second_try", "-p", "no:django", "-p", "no:schemathesis"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-sv", "-c", os.devnull, *plugins, str(tmp_path)],
        env=os.environ | {"CI": "true"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 failed, 4 passed, 3 rerun" in done.stdout
    for test, phase in [("opens_at", "setup"), ("closes_at", "teardown"), ("fails_twice", "call")]:
        assert any(
            line.startswith("RERUN") and test in line and f"({phase})" in line
            for line in done.stdout.splitlines()
        )
    closed = [done.stdout.index(text) for text in ("shared closed", "another file", "late closed")]
    assert closed == sorted(closed)
