"""What a collection demands holds for whoever embeds it, and for questions asked of it."""

import pytest

from gateway.embedding.embedder import LOCAL_NAME
from gateway.labels import LabelUnmet
from gateway.models import Deployment, Endpoint, Model
from knowledge import jobs, retrieval
from knowledge.embeddings.filling import embedder_of
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.ingestion.embedding import embedder_for
from knowledge.labels import embedding_demands
from knowledge.models import Collection, Document, EmbeddingVersion, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(alice):
    return Collection.objects.create(owner=alice, name="Contracts", required_labels=["eu"])


@pytest.fixture
def endpoint():
    model = Model.objects.create(name="far", kind="embedding", is_default=True, dimensions=8)
    endpoint = Endpoint.objects.create(name="us", base_url="http://127.0.0.1:9/v1", labels=["us"])
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="far")
    return endpoint


def test_nothing_of_it_is_embedded_elsewhere_and_the_reason_is_told(shelf, endpoint):
    source = Source.objects.create(collection=shelf, name="Uploads")
    document = Document(collection=shelf, source=source)
    with pytest.raises(ExtractionFailed, match="the collection “Contracts”"):
        embedder_for(document, "far")
    with pytest.raises(LabelUnmet):
        retrieval.embed_for([shelf.pk], ())("far")
    with pytest.raises(LabelUnmet):
        embedder_of(EmbeddingVersion(model="far"))
    assert jobs.follow_default_embedder() == 0

    endpoint.labels = ["eu", "us"]
    endpoint.save()
    assert embedder_for(document, "far").name == "far"
    assert retrieval.embed_for([shelf.pk], ())("far").name == "far"


def test_the_embedded_model_sees_everything_without_a_query(shelf, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert embedding_demands(LOCAL_NAME, [shelf.pk]) == ()
