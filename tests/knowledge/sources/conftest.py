"""Sources of alice's handbook, and visits as a worker pays them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from events import jobs
from knowledge.models import Collection, Document, Source, SyncRun
from knowledge.sources import services
from tests.knowledge.conftest import _files_apart, _ready_to_index, handbook

__all__ = ["_files_apart", "_ready_to_index", "handbook"]

Add = Callable[..., Source]


@pytest.fixture
def admin(alice: User) -> User:
    """Alice, who may connect folders of the server too."""
    alice.is_staff = True
    alice.save()
    return alice


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    """A folder that sources may read."""
    folder = tmp_path / "root"
    folder.mkdir()
    settings.PARLEY_SOURCE_ROOTS = [str(folder)]
    return folder


@pytest.fixture
def add(admin: User, handbook: Collection) -> Add:
    def add_source(kind: str, **options: Any) -> Source:
        grace = options.pop("grace_days", None)
        secret = options.pop("secret", "")
        return services.create_source(
            admin, handbook, kind, "It", options, secret=secret, grace_days=grace
        )

    return add_source


def visit(source: Source, **options: Any) -> SyncRun:
    """Start a sync and do what a worker does when it hears of its job."""
    run = services.start_sync(source, None, **options)
    return work(run)


def work(run: SyncRun) -> SyncRun:
    run.refresh_from_db()
    jobs.run(str(run.job_id))
    run.refresh_from_db()
    return run


def counts(run: SyncRun) -> tuple[int, int, int, int, int]:
    return run.added, run.changed, run.unchanged, run.removed, run.failed


def titles(collection: Collection) -> list[str]:
    return sorted(Document.objects.filter(collection=collection).values_list("title", flat=True))
