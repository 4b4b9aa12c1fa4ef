"""A collection of alice's, and documents in it that are indexed as a worker does it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import User
from events import jobs
from gateway.embedding.local import local_embedder
from knowledge import services
from knowledge.extraction.process import reading_process
from knowledge.models import Collection, Document
from tests.knowledge.files import as_stream
from tests.support.model_server import model_server

__all__ = ["model_server"]

AddText = Callable[..., Document]


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path / "files"


@pytest.fixture(scope="session", autouse=True)
def _ready_to_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Build the model and start the reader once, outside the tests.

    A job in a test's transaction cannot renew its lease (its row is not committed), so it has to
    end within the first ten seconds.
    """
    local_embedder().embed(["warm"])
    path = tmp_path_factory.mktemp("warm") / "warm.txt"
    path.write_text("warm")
    reading_process.extract(path, "text")
    yield
    reading_process.close()


@pytest.fixture
def handbook(alice: User) -> Collection:
    return services.create_collection(alice, "Handbook")


def run_job(document: Document) -> Document:
    """Do what a worker does when it hears of the document's job."""
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


@pytest.fixture
def add_text(alice: User) -> AddText:
    """Adds a text as a file and indexes it."""

    def add(collection: Collection, text: str, name: str = "note.md") -> Document:
        document, _ = services.add_document(alice, collection, as_stream(text), name)
        return run_job(document)

    return add
