"""In which order several processes take the files of tests: the longest first.

A file of minutes that begins last leaves the other processes without work. Files that share a
product are one piece of work, so that it is started once and not in each process.
"""

import os
from typing import Any

import pytest

TOGETHER = ("tests/browser/chat/",)
LONGEST = (  # by what they took on two cores
    "tests/browser/chat/",
    "tests/permissions/test_matrix.py",
    "tests/embedded/test_up.py",
    "tests/permissions/test_bodies.py",
    "tests/browser/pages/test_accessibility.py",
    "tests/api/test_fuzzing.py",
    "tests/config/operations/",
    "tests/permissions/",
    "tests/chaos/",
    "tests/browser/",
    "tests/chat/test_processes.py",
    "tests/chat/test_serving.py",
    "tests/security/test_hostile_files.py",
    "tests/v1/",
    "tests/admin/",
)


def place(nodeid: str) -> int:
    return next((n for n, part in enumerate(LONGEST) if nodeid.startswith(part)), len(LONGEST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: place(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # by the number of tests, that is by how short they are
    return _scheduler()(config, log)


def _scheduler() -> Any:
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only where it is installed

    class InTurn(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            whole = next((part for part in TOGETHER if nodeid.startswith(part)), None)
            return whole or super()._split_scope(nodeid)

    return InTurn
