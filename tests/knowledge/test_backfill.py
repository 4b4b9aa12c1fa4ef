"""Another embedding model: filled beside the old one, then searched by, and back again."""

import pytest

from accounts.models import User
from events import jobs as event_jobs
from events.models import Job
from gateway.embedding.embedder import LOCAL_NAME, get_embedder
from gateway.models import Deployment, Endpoint, Model
from knowledge import jobs, services
from knowledge.embeddings.following import find_new_embedder
from knowledge.ingestion import embedding
from knowledge.models import Chunk, Collection, Document, Embedding, EmbeddingVersion
from knowledge.retrieval import search
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream
from tests.support.model_server import ModelServer

# Real transactions: an index cannot be made in one that has written rows.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def remote(model_server: ModelServer) -> Model:
    """A multilingual embedding model of an endpoint, marked as default."""
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    model = Model.objects.create(
        name="bge-like", kind=Model.Kind.EMBEDDING, is_default=True, is_multilingual=True
    )
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="bge")
    return model


def run_switch() -> None:
    assert jobs.follow_default_embedder() == 1
    assert jobs.follow_default_embedder() == 0  # it is under way
    event_jobs.run(str(Job.objects.get(task=jobs.SWITCH, finished_at=None).pk))


def test_nothing_to_do_while_the_default_is_searched() -> None:
    assert find_new_embedder() is None
    assert jobs.follow_default_embedder() == 0


def test_a_new_default_is_filled_and_searched_and_back(
    alice: User, handbook: Collection, add_text: AddText, remote: Model
) -> None:
    add_text(handbook, "Every employee has 25 days of leave.", "a.txt")
    add_text(handbook, "员工出差优先选择高铁。", "b.txt")
    assert find_active_version().model == LOCAL_NAME
    assert Embedding.objects.count() == 1
    run_switch()
    version = find_active_version()
    assert (version.model, version.is_multilingual) == ("bge-like", True)
    assert Embedding.objects.filter(version=version).count() == Chunk.objects.count() == 2
    found = search(alice, "员工出差优先选择高铁。")
    assert found.alpha == 0.5
    assert found.passages[0].ranks["dense"]["rank"] == 1
    add_text(handbook, "A third text.", "c.txt")
    assert Embedding.objects.filter(version=version).count() == 3
    remote.is_default = False
    remote.save()
    run_switch()
    assert find_active_version().model == LOCAL_NAME
    assert Embedding.objects.filter(version=find_active_version()).count() == 2
    assert search(alice, "days of leave").passages[0].text.startswith("Every employee")


def test_a_document_embedded_before_the_flip_is_indexed_again_with_the_new_model(
    alice: User,
    handbook: Collection,
    remote: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document, _ = services.add_document(alice, handbook, as_stream("Some words."), "a.txt")
    flipped: list[EmbeddingVersion] = []

    def embed_and_flip(name: str, *_demands: object, **_more: object):
        """The model changes between choosing the embedder and loading its vectors."""
        embedder = get_embedder(name)
        if not flipped:
            run_switch()
            flipped.append(find_active_version())
        return embedder

    monkeypatch.setattr(embedding, "get_embedder", embed_and_flip)
    run_job(document)
    assert document.status == Document.Status.RUNNING
    assert not Chunk.objects.exists()
    run_job(document)
    assert document.status == Document.Status.READY
    assert set(Embedding.objects.values_list("version", flat=True)) == {flipped[0].pk}
