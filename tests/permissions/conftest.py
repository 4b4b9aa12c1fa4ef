from collections.abc import Iterator

import pytest

from knowledge.extraction.process import reading_process
from tests.support.world import World, build


@pytest.fixture(scope="session", autouse=True)
def _close_reader() -> Iterator[None]:
    yield
    reading_process.close()


@pytest.fixture
def world(db, tmp_path, settings) -> World:
    settings.FILES_ROOT = tmp_path / "files"
    settings.PARLEY_LIMITS = dict.fromkeys(settings.PARLEY_LIMITS, ())  # thieves have all day
    return build()
